-- Azure Monitor diagnostic settings: the Graph record under `properties`, with a frame around it.
-- `batch` has a column for each path into the record, and `frame.` before those into the frame.
WITH parsed AS (
    SELECT *,
        COALESCE("initiatedBy.user.id", "initiatedBy.user.userPrincipalName",
            "initiatedBy.user.ipAddress") AS any_user,
        COALESCE("initiatedBy.app.appId", "initiatedBy.app.displayName") AS any_app,
        json_transform(
            list_text(text, '$.properties.targetResources',
                "targetResources", "targetResources[0]"),
            '[{"id": "VARCHAR", "type": "VARCHAR", "userPrincipalName": "VARCHAR"}]') AS targets,
        json_transform(
            list_text(text, '$.properties.additionalDetails',
                "additionalDetails", "additionalDetails[0]"),
            '[{"key": "VARCHAR", "value": "VARCHAR"}]') AS details
    FROM batch),
named AS (
    SELECT *, user_target(targets) AS target FROM parsed)
SELECT
    seq, file, place, text,
    filled("id")                                AS record_id,
    COALESCE(filled("activityDateTime"), "frame.time") AS time_text,
    COALESCE(filled("activityDisplayName"), filled("frame.operationName")) AS activity,
    COALESCE(filled("resultReason"), filled("frame.resultDescription")) AS reason,
    lower(COALESCE(filled("result"), filled("frame.resultType"))) AS result,
    filled("loggedByService")                   AS service,
    COALESCE(filled("correlationId"), filled("frame.correlationId")) AS correlation_id,
    COALESCE(filled("initiatedBy.user.ipAddress"), filled("frame.callerIpAddress")) AS ip_text,
    detail(details, 'clienttype')               AS client_type,
    detail(details, 'onpremisesagent')          AS agent,
    filled("initiatedBy.user.id")               AS initiator_id,
    filled("initiatedBy.user.userPrincipalName") AS initiator_upn,
    COALESCE(filled("initiatedBy.app.displayName"), filled("initiatedBy.app.appId"))
                                                AS initiator_app,
    filled(target.id)                           AS target_id,
    filled(target.userPrincipalName)            AS target_upn,
    filled("frame.tenantId")                    AS tenant_id,
    CASE
        WHEN no_json THEN 'not valid JSON'
        WHEN misshapen(text, '$.properties.initiatedBy', "initiatedBy", COALESCE(any_user, any_app),
            'OBJECT') THEN 'initiatedBy is not an object'
        WHEN misshapen(text, '$.properties.initiatedBy.user', "initiatedBy.user", any_user, 'OBJECT')
            THEN 'initiatedBy.user is not an object'
        WHEN misshapen(text, '$.properties.initiatedBy.app', "initiatedBy.app",
            COALESCE(any_user, any_app), 'OBJECT') THEN 'initiatedBy.app is not an object'
        WHEN misshapen_list(text, '$.properties.targetResources', "targetResources", targets)
            THEN 'targetResources is not a list'
        WHEN misshapen_list(text, '$.properties.additionalDetails', "additionalDetails", details)
            THEN 'additionalDetails is not a list'
        WHEN misshapen_items("targetResources", targets, any_target(targets[1]))
            THEN 'targetResources holds no objects'
        WHEN misshapen_items("additionalDetails", details, any_detail(details[1]))
            THEN 'additionalDetails holds no objects'
    END                                         AS fault,
    CASE
        WHEN COALESCE("frame.time", "frame.operationName", "frame.category") IS NULL THEN false
        WHEN lower(filled("frame.category")) <> 'auditlogs' THEN false
        WHEN "activityDateTime" IS NOT NULL THEN true
        ELSE COALESCE(json_type(text, '$.properties'), '') = 'OBJECT' AND (
            filled("frame.category") IS NOT NULL   -- without it, this is what a sign-in has
            OR json_type(text, '$.properties.createdDateTime') IS NULL)
    END                                         AS fits
FROM named
