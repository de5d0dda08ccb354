-- Rows of the Log Analytics table AuditLogs. Nested columns are JSON texts, or JSON after all.
WITH rows AS (   -- TRY: one text that is no JSON would fail the whole query
    SELECT seq, file, place, text, body, TRY(json_transform(body, '{
        "Id": "VARCHAR", "ActivityDateTime": "VARCHAR", "TimeGenerated": "VARCHAR",
        "ActivityDisplayName": "VARCHAR", "OperationName": "VARCHAR", "ResultReason": "VARCHAR",
        "ResultDescription": "VARCHAR", "Result": "VARCHAR", "ResultType": "VARCHAR",
        "LoggedByService": "VARCHAR", "Category": "VARCHAR", "CorrelationId": "VARCHAR",
        "AADTenantId": "VARCHAR", "InitiatedBy": "VARCHAR", "TargetResources": "VARCHAR",
        "AdditionalDetails": "VARCHAR", "AppDisplayName": "VARCHAR",
        "ConditionalAccessStatus": "VARCHAR", "DeviceDetail": "VARCHAR"}')) AS e
    FROM batch),
parsed AS (
    SELECT seq, file, place, text, body, e,
        json_transform(CASE WHEN json_valid(e.InitiatedBy) THEN e.InitiatedBy END, '{
            "user": {"id": "VARCHAR", "userPrincipalName": "VARCHAR", "ipAddress": "VARCHAR"},
            "app": {"appId": "VARCHAR", "displayName": "VARCHAR"}}') AS initiated,
        json_transform(CASE WHEN json_valid(e.TargetResources) THEN e.TargetResources END,
            '[{"id": "VARCHAR", "type": "VARCHAR", "userPrincipalName": "VARCHAR"}]') AS targets,
        json_transform(CASE WHEN json_valid(e.AdditionalDetails) THEN e.AdditionalDetails END,
            '[{"key": "VARCHAR", "value": "VARCHAR"}]') AS details
    FROM rows),
named AS (
    SELECT *, user_target(targets) AS target FROM parsed)
SELECT
    seq, file, place, text,
    filled(e.Id)                                AS record_id,
    COALESCE(filled(e.ActivityDateTime), e.TimeGenerated) AS time_text,
    COALESCE(filled(e.ActivityDisplayName), filled(e.OperationName)) AS activity,
    COALESCE(filled(e.ResultReason), filled(e.ResultDescription)) AS reason,
    lower(COALESCE(filled(e.Result), filled(e.ResultType))) AS result,
    -- Rows of 2018 keep the service in the column Category.
    COALESCE(filled(e.LoggedByService), CASE
        WHEN e.Category = 'Self-service Password Management' THEN e.Category END) AS service,
    filled(e.CorrelationId)                     AS correlation_id,
    filled(initiated.user.ipAddress)            AS ip_text,
    detail(details, 'clienttype')               AS client_type,
    detail(details, 'onpremisesagent')          AS agent,
    filled(initiated.user.id)                   AS initiator_id,
    filled(initiated.user.userPrincipalName)    AS initiator_upn,
    COALESCE(filled(initiated.app.displayName), filled(initiated.app.appId)) AS initiator_app,
    filled(target.id)                           AS target_id,
    filled(target.userPrincipalName)            AS target_upn,
    filled(e.AADTenantId)                       AS tenant_id,
    CASE
        WHEN no_json(body, e) THEN 'not valid JSON'
        WHEN misshapen_text(e.InitiatedBy, any_initiator(initiated), 'OBJECT')
            THEN 'InitiatedBy is not an object'
        WHEN misshapen_text(e.TargetResources, targets, 'ARRAY')
            THEN 'TargetResources is not a list'
        WHEN misshapen_text(e.AdditionalDetails, details, 'ARRAY')
            THEN 'AdditionalDetails is not a list'
        WHEN misshapen_items(e.TargetResources, '$[0]', targets, any_target(targets[1]))
            THEN 'TargetResources holds no objects'
        WHEN misshapen_items(e.AdditionalDetails, '$[0]', details, any_detail(details[1]))
            THEN 'AdditionalDetails holds no objects'
    END                                         AS fault,
    COALESCE(e.TimeGenerated, e.ActivityDateTime) IS NOT NULL
        AND COALESCE(e.OperationName, e.ActivityDisplayName) IS NOT NULL
        -- what a row of SigninLogs has
        AND COALESCE(e.AppDisplayName, e.ConditionalAccessStatus, e.DeviceDetail) IS NULL AS fits
FROM named
