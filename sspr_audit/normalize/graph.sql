-- Microsoft Graph directoryAudit, and the admin center's JSON download: the same shape.
WITH parsed AS (
    SELECT *, as_struct(text, graph_shape()) AS record
    FROM batch),
named AS (
    SELECT *, unnest(record), user_target(record.targetResources) AS target FROM parsed)
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
        ELSE graph_fault(text, '$', record)
    END                                         AS fault,
    COALESCE(activityDateTime, activityDisplayName, loggedByService) IS NOT NULL AS fits
FROM named
