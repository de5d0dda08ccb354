-- Azure Monitor diagnostic settings: the Graph record under `properties`, with a frame around it.
WITH gated AS (
    SELECT seq, file, place, text, CASE WHEN json_valid(body) THEN body END AS sound FROM batch),
shaped AS (
    SELECT seq, file, place, text, sound, json_transform(sound, '{
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
        "additionalDetails": [{"key": "VARCHAR", "value": "VARCHAR"}]}}') AS r
    FROM gated),
named AS (
    SELECT *, r.properties AS e, user_target(r.properties.targetResources) AS target FROM shaped)
SELECT
    seq, file, place, text,
    filled(e.id)                                AS record_id,
    COALESCE(filled(e.activityDateTime), r.time) AS time_text,
    COALESCE(filled(e.activityDisplayName), filled(r.operationName)) AS activity,
    COALESCE(filled(e.resultReason), filled(r.resultDescription)) AS reason,
    lower(COALESCE(filled(e.result), filled(r.resultType))) AS result,
    filled(e.loggedByService)                   AS service,
    COALESCE(filled(e.correlationId), filled(r.correlationId)) AS correlation_id,
    COALESCE(filled(e.initiatedBy.user.ipAddress), filled(r.callerIpAddress)) AS ip_text,
    detail(e.additionalDetails, 'clienttype')   AS client_type,
    detail(e.additionalDetails, 'onpremisesagent') AS agent,
    filled(e.initiatedBy.user.id)               AS initiator_id,
    filled(e.initiatedBy.user.userPrincipalName) AS initiator_upn,
    COALESCE(filled(e.initiatedBy.app.displayName), filled(e.initiatedBy.app.appId))
                                                AS initiator_app,
    filled(target.id)                           AS target_id,
    filled(target.userPrincipalName)            AS target_upn,
    filled(r.tenantId)                          AS tenant_id,
    CASE
        WHEN sound IS NULL THEN 'not valid JSON'
        WHEN misshapen(sound, '$.properties.initiatedBy', e.initiatedBy, 'OBJECT')
            THEN 'initiatedBy is not an object'
        WHEN misshapen(sound, '$.properties.initiatedBy.user', e.initiatedBy.user, 'OBJECT')
            THEN 'initiatedBy.user is not an object'
        WHEN misshapen(sound, '$.properties.targetResources', e.targetResources, 'ARRAY')
            THEN 'targetResources is not a list'
        WHEN misshapen(sound, '$.properties.additionalDetails', e.additionalDetails, 'ARRAY')
            THEN 'additionalDetails is not a list'
    END                                         AS fault,
    e IS NOT NULL AND COALESCE(r.category, '') NOT LIKE '%SignInLogs' AS fits
FROM named
