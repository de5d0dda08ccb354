-- Azure Monitor diagnostic settings: the Graph record under `properties`, with a frame around it.
WITH framed AS (
    SELECT *, as_struct(text, '{
        "time": "VARCHAR", "operationName": "VARCHAR", "category": "VARCHAR",
        "resultDescription": "VARCHAR", "resultType": "VARCHAR", "callerIpAddress": "VARCHAR",
        "correlationId": "VARCHAR", "tenantId": "VARCHAR", "properties": {
            "id": "VARCHAR", "activityDateTime": "VARCHAR", "activityDisplayName": "VARCHAR",
            "resultReason": "VARCHAR", "result": "VARCHAR", "loggedByService": "VARCHAR",
            "correlationId": "VARCHAR",
            "initiatedBy": {
                "user": {"id": "VARCHAR", "userPrincipalName": "VARCHAR", "ipAddress": "VARCHAR"},
                "app": {"appId": "VARCHAR", "displayName": "VARCHAR"}},
            "targetResources": [
                {"id": "VARCHAR", "type": "VARCHAR", "userPrincipalName": "VARCHAR"}],
            "additionalDetails": [{"key": "VARCHAR", "value": "VARCHAR"}]}}') AS frame
    FROM batch),
parsed AS (
    SELECT *, frame.properties AS record FROM framed),
named AS (
    SELECT *, unnest(record), user_target(record.targetResources) AS target,
        any_user(record.initiatedBy.user) AS any_user, any_app(record.initiatedBy.app) AS any_app
    FROM parsed)
SELECT
    seq, file, place, text,
    filled(id)                                  AS record_id,
    COALESCE(filled(activityDateTime), frame.time) AS time_text,
    COALESCE(filled(activityDisplayName), filled(frame.operationName)) AS activity,
    COALESCE(filled(resultReason), filled(frame.resultDescription)) AS reason,
    lower(COALESCE(filled(result), filled(frame.resultType))) AS result,
    filled(loggedByService)                     AS service,
    COALESCE(filled(correlationId), filled(frame.correlationId)) AS correlation_id,
    COALESCE(filled(initiatedBy.user.ipAddress), filled(frame.callerIpAddress)) AS ip_text,
    detail(additionalDetails, 'clienttype')     AS client_type,
    detail(additionalDetails, 'onpremisesagent') AS agent,
    filled(initiatedBy.user.id)                 AS initiator_id,
    filled(initiatedBy.user.userPrincipalName)  AS initiator_upn,
    COALESCE(filled(initiatedBy.app.displayName), filled(initiatedBy.app.appId))
                                                AS initiator_app,
    filled(target.id)                           AS target_id,
    filled(target.userPrincipalName)            AS target_upn,
    filled(frame.tenantId)                      AS tenant_id,
    CASE
        WHEN no_json(text, frame) THEN 'not valid JSON'
        WHEN misshapen(text, '$.properties.initiatedBy', initiatedBy, COALESCE(any_user, any_app),
            'OBJECT') THEN 'initiatedBy is not an object'
        WHEN misshapen(text, '$.properties.initiatedBy.user', initiatedBy.user, any_user, 'OBJECT')
            THEN 'initiatedBy.user is not an object'
        WHEN misshapen(text, '$.properties.initiatedBy.app', initiatedBy.app,
            COALESCE(any_user, any_app), 'OBJECT') THEN 'initiatedBy.app is not an object'
        WHEN misshapen_list(text, '$.properties.targetResources', targetResources)
            THEN 'targetResources is not a list'
        WHEN misshapen_list(text, '$.properties.additionalDetails', additionalDetails)
            THEN 'additionalDetails is not a list'
        WHEN misshapen(text, '$.properties.targetResources[0]', targetResources[1],
            any_target(targetResources[1]), 'OBJECT') THEN 'targetResources holds no objects'
        WHEN misshapen(text, '$.properties.additionalDetails[0]', additionalDetails[1],
            any_detail(additionalDetails[1]), 'OBJECT') THEN 'additionalDetails holds no objects'
    END                                         AS fault,
    CASE
        WHEN COALESCE(frame.time, frame.operationName, frame.category) IS NULL THEN false
        WHEN lower(filled(frame.category)) <> 'auditlogs' THEN false
        WHEN activityDateTime IS NOT NULL THEN true
        ELSE COALESCE(json_type(text, '$.properties'), '') = 'OBJECT' AND (
            filled(frame.category) IS NOT NULL   -- without it, this is what a sign-in has
            OR json_type(text, '$.properties.createdDateTime') IS NULL)
    END                                         AS fits
FROM named
