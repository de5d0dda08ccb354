-- Azure Monitor diagnostic settings: the Graph record under `properties`, with a frame around it.
WITH framed AS (
    SELECT *, as_struct(text, '{
        "time": "VARCHAR", "operationName": "VARCHAR", "category": "VARCHAR",
        "resultDescription": "VARCHAR", "resultType": "VARCHAR", "callerIpAddress": "VARCHAR",
        "correlationId": "VARCHAR", "tenantId": "VARCHAR",
        "properties": ' || graph_shape() || '}') AS frame
    FROM batch),
parsed AS (
    SELECT *, frame.properties AS record FROM framed),
named AS (
    SELECT *, unnest(record), user_target(record.targetResources) AS target FROM parsed)
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
        ELSE graph_fault(text, '$.properties', record)
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
