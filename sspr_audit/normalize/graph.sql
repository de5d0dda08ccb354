-- Microsoft Graph directoryAudit, and the admin center's JSON download: the same shape.
WITH parsed AS (
    SELECT *, as_struct(text, '{
        "id": "VARCHAR", "activityDateTime": "VARCHAR", "activityDisplayName": "VARCHAR",
        "resultReason": "VARCHAR", "result": "VARCHAR", "loggedByService": "VARCHAR",
        "correlationId": "VARCHAR",
        "initiatedBy": {
            "user": {"id": "VARCHAR", "userPrincipalName": "VARCHAR", "ipAddress": "VARCHAR"},
            "app": {"appId": "VARCHAR", "displayName": "VARCHAR"}},
        "targetResources": [{"id": "VARCHAR", "type": "VARCHAR", "userPrincipalName": "VARCHAR"}],
        "additionalDetails": [{"key": "VARCHAR", "value": "VARCHAR"}]}') AS record
    FROM batch),
named AS (
    SELECT *, unnest(record), user_target(record.targetResources) AS target,
        any_user(record.initiatedBy.user) AS any_user, any_app(record.initiatedBy.app) AS any_app
    FROM parsed)
SELECT
    seq, file, place, text,
    filled(id)                                  AS record_id,
    activityDateTime                            AS time_text,
    filled(activityDisplayName)                 AS activity,
    filled(resultReason)                        AS reason,
    lower(filled(result))                       AS result,
    filled(loggedByService)                     AS service,
    filled(correlationId)                       AS correlation_id,
    filled(initiatedBy.user.ipAddress)          AS ip_text,
    detail(additionalDetails, 'clienttype')     AS client_type,
    detail(additionalDetails, 'onpremisesagent') AS agent,
    filled(initiatedBy.user.id)                 AS initiator_id,
    filled(initiatedBy.user.userPrincipalName)  AS initiator_upn,
    COALESCE(filled(initiatedBy.app.displayName), filled(initiatedBy.app.appId))
                                                AS initiator_app,
    filled(target.id)                           AS target_id,
    filled(target.userPrincipalName)            AS target_upn,
    CAST(NULL AS VARCHAR)                       AS tenant_id,
    CASE
        WHEN no_json(text, record) THEN 'not valid JSON'
        WHEN misshapen(text, '$.initiatedBy', initiatedBy, COALESCE(any_user, any_app), 'OBJECT')
            THEN 'initiatedBy is not an object'
        WHEN misshapen(text, '$.initiatedBy.user', initiatedBy.user, any_user, 'OBJECT')
            THEN 'initiatedBy.user is not an object'
        WHEN misshapen(text, '$.initiatedBy.app', initiatedBy.app, COALESCE(any_user, any_app),
            'OBJECT') THEN 'initiatedBy.app is not an object'
        WHEN misshapen_list(text, '$.targetResources', targetResources)
            THEN 'targetResources is not a list'
        WHEN misshapen_list(text, '$.additionalDetails', additionalDetails)
            THEN 'additionalDetails is not a list'
        WHEN misshapen(text, '$.targetResources[0]', targetResources[1],
            any_target(targetResources[1]), 'OBJECT') THEN 'targetResources holds no objects'
        WHEN misshapen(text, '$.additionalDetails[0]', additionalDetails[1],
            any_detail(additionalDetails[1]), 'OBJECT') THEN 'additionalDetails holds no objects'
    END                                         AS fault,
    COALESCE(activityDateTime, activityDisplayName, loggedByService) IS NOT NULL AS fits
FROM named
