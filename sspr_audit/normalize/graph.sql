-- Microsoft Graph directoryAudit, and the admin center's JSON download: the same shape.
WITH shaped AS (   -- TRY: one text that is no JSON would fail the whole query
    SELECT seq, file, place, text, body, TRY(json_transform(body, '{
        "id": "VARCHAR", "activityDateTime": "VARCHAR", "activityDisplayName": "VARCHAR",
        "resultReason": "VARCHAR", "result": "VARCHAR", "loggedByService": "VARCHAR",
        "correlationId": "VARCHAR",
        "initiatedBy": {
            "user": {"id": "VARCHAR", "userPrincipalName": "VARCHAR", "ipAddress": "VARCHAR"},
            "app": {"appId": "VARCHAR", "displayName": "VARCHAR"}},
        "targetResources": [
            {"id": "VARCHAR", "type": "VARCHAR", "userPrincipalName": "VARCHAR"}],
        "additionalDetails": [{"key": "VARCHAR", "value": "VARCHAR"}]}')) AS e
    FROM batch),
named AS (
    SELECT *, user_target(e.targetResources) AS target FROM shaped)
SELECT
    seq, file, place, text,
    filled(e.id)                                AS record_id,
    e.activityDateTime                          AS time_text,
    filled(e.activityDisplayName)               AS activity,
    filled(e.resultReason)                      AS reason,
    lower(filled(e.result))                     AS result,
    filled(e.loggedByService)                   AS service,
    filled(e.correlationId)                     AS correlation_id,
    filled(e.initiatedBy.user.ipAddress)        AS ip_text,
    detail(e.additionalDetails, 'clienttype')   AS client_type,
    detail(e.additionalDetails, 'onpremisesagent') AS agent,
    filled(e.initiatedBy.user.id)               AS initiator_id,
    filled(e.initiatedBy.user.userPrincipalName) AS initiator_upn,
    COALESCE(filled(e.initiatedBy.app.displayName), filled(e.initiatedBy.app.appId))
                                                AS initiator_app,
    filled(target.id)                           AS target_id,
    filled(target.userPrincipalName)            AS target_upn,
    CAST(NULL AS VARCHAR)                       AS tenant_id,
    CASE
        WHEN no_json(body, e) THEN 'not valid JSON'
        WHEN misshapen(body, '$.initiatedBy', any_initiator(e.initiatedBy), 'OBJECT')
            THEN 'initiatedBy is not an object'
        WHEN misshapen(body, '$.initiatedBy.user', any_user(e.initiatedBy.user), 'OBJECT')
            THEN 'initiatedBy.user is not an object'
        WHEN misshapen(body, '$.initiatedBy.app', any_initiator(e.initiatedBy), 'OBJECT')
            THEN 'initiatedBy.app is not an object'
        WHEN misshapen(body, '$.targetResources', e.targetResources, 'ARRAY')
            THEN 'targetResources is not a list'
        WHEN misshapen(body, '$.additionalDetails', e.additionalDetails, 'ARRAY')
            THEN 'additionalDetails is not a list'
        WHEN misshapen_items(body, '$.targetResources[0]', e.targetResources,
            any_target(e.targetResources[1])) THEN 'targetResources holds no objects'
        WHEN misshapen_items(body, '$.additionalDetails[0]', e.additionalDetails,
            any_detail(e.additionalDetails[1])) THEN 'additionalDetails holds no objects'
    END                                         AS fault,
    e.activityDateTime IS NOT NULL OR e.activityDisplayName IS NOT NULL
        OR e.loggedByService IS NOT NULL        AS fits
FROM named
