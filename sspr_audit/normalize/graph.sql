-- Microsoft Graph directoryAudit, and the admin center's JSON download: the same shape. `batch` has
-- a column for each path into the record.
WITH parsed AS (
    SELECT *,
        COALESCE("initiatedBy.user.id", "initiatedBy.user.userPrincipalName",
            "initiatedBy.user.ipAddress") AS any_user,
        COALESCE("initiatedBy.app.appId", "initiatedBy.app.displayName") AS any_app,
        json_transform(
            list_text(text, '$.targetResources', "targetResources", "targetResources[0]"),
            '[{"id": "VARCHAR", "type": "VARCHAR", "userPrincipalName": "VARCHAR"}]') AS targets,
        json_transform(
            list_text(text, '$.additionalDetails', "additionalDetails", "additionalDetails[0]"),
            '[{"key": "VARCHAR", "value": "VARCHAR"}]') AS details
    FROM batch),
named AS (
    SELECT *, user_target(targets) AS target FROM parsed)
SELECT
    seq, file, place, text,
    filled("id")                                AS record_id,
    "activityDateTime"                          AS time_text,
    filled("activityDisplayName")               AS activity,
    filled("resultReason")                      AS reason,
    lower(filled("result"))                     AS result,
    filled("loggedByService")                   AS service,
    filled("correlationId")                     AS correlation_id,
    filled("initiatedBy.user.ipAddress")        AS ip_text,
    detail(details, 'clienttype')               AS client_type,
    detail(details, 'onpremisesagent')          AS agent,
    filled("initiatedBy.user.id")               AS initiator_id,
    filled("initiatedBy.user.userPrincipalName") AS initiator_upn,
    COALESCE(filled("initiatedBy.app.displayName"), filled("initiatedBy.app.appId"))
                                                AS initiator_app,
    filled(target.id)                           AS target_id,
    filled(target.userPrincipalName)            AS target_upn,
    CAST(NULL AS VARCHAR)                       AS tenant_id,
    CASE
        WHEN no_json THEN 'not valid JSON'
        WHEN misshapen(text, '$.initiatedBy', "initiatedBy", COALESCE(any_user, any_app), 'OBJECT')
            THEN 'initiatedBy is not an object'
        WHEN misshapen(text, '$.initiatedBy.user', "initiatedBy.user", any_user, 'OBJECT')
            THEN 'initiatedBy.user is not an object'
        WHEN misshapen(text, '$.initiatedBy.app', "initiatedBy.app", COALESCE(any_user, any_app),
            'OBJECT') THEN 'initiatedBy.app is not an object'
        WHEN misshapen_list(text, '$.targetResources', "targetResources", targets)
            THEN 'targetResources is not a list'
        WHEN misshapen_list(text, '$.additionalDetails', "additionalDetails", details)
            THEN 'additionalDetails is not a list'
        WHEN misshapen_items("targetResources", targets, any_target(targets[1]))
            THEN 'targetResources holds no objects'
        WHEN misshapen_items("additionalDetails", details, any_detail(details[1]))
            THEN 'additionalDetails holds no objects'
    END                                         AS fault,
    COALESCE("activityDateTime", "activityDisplayName", "loggedByService") IS NOT NULL AS fits
FROM named
