-- Azure Monitor diagnostic settings: the Graph record under `properties`, with a frame around it.
WITH shaped AS (   -- TRY: one text that is no JSON would fail the whole query
    SELECT seq, file, place, text, body, TRY(json_transform(body, '{
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
        "additionalDetails": [{"key": "VARCHAR", "value": "VARCHAR"}]}}')) AS r
    FROM batch),
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
        WHEN no_json(body, r) THEN 'not valid JSON'
        WHEN misshapen(body, '$.properties.initiatedBy', any_initiator(e.initiatedBy), 'OBJECT')
            THEN 'initiatedBy is not an object'
        WHEN misshapen(body, '$.properties.initiatedBy.user', any_user(e.initiatedBy.user), 'OBJECT')
            THEN 'initiatedBy.user is not an object'
        WHEN misshapen(body, '$.properties.initiatedBy.app', any_initiator(e.initiatedBy), 'OBJECT')
            THEN 'initiatedBy.app is not an object'
        WHEN misshapen(body, '$.properties.targetResources', e.targetResources, 'ARRAY')
            THEN 'targetResources is not a list'
        WHEN misshapen(body, '$.properties.additionalDetails', e.additionalDetails, 'ARRAY')
            THEN 'additionalDetails is not a list'
        WHEN misshapen_items(body, '$.properties.targetResources[0]', e.targetResources,
            any_target(e.targetResources[1])) THEN 'targetResources holds no objects'
        WHEN misshapen_items(body, '$.properties.additionalDetails[0]', e.additionalDetails,
            any_detail(e.additionalDetails[1])) THEN 'additionalDetails holds no objects'
    END                                         AS fault,
    CASE
        WHEN COALESCE(r.time, r.operationName, r.category) IS NULL THEN false
        WHEN lower(filled(r.category)) <> 'auditlogs' THEN false
        WHEN e.activityDateTime IS NOT NULL THEN true
        ELSE COALESCE(json_type(body, '$.properties'), '') = 'OBJECT' AND (
            filled(r.category) IS NOT NULL   -- without it, this is what a sign-in has
            OR json_type(body, '$.properties.createdDateTime') IS NULL)
    END                                         AS fits
FROM named
