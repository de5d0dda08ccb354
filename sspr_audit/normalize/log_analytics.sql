-- Rows of the Log Analytics table AuditLogs; `batch` has its columns. The nested ones are JSON
-- texts, or JSON after all.
WITH parsed AS (
    SELECT *,
        json_transform(CASE WHEN json_valid("InitiatedBy") THEN "InitiatedBy" END, '{
            "user": {"id": "VARCHAR", "userPrincipalName": "VARCHAR", "ipAddress": "VARCHAR"},
            "app": {"appId": "VARCHAR", "displayName": "VARCHAR"}}') AS initiated,
        json_transform(CASE WHEN json_valid("TargetResources") THEN "TargetResources" END,
            '[{"id": "VARCHAR", "type": "VARCHAR", "userPrincipalName": "VARCHAR"}]') AS targets,
        json_transform(CASE WHEN json_valid("AdditionalDetails") THEN "AdditionalDetails" END,
            '[{"key": "VARCHAR", "value": "VARCHAR"}]') AS details
    FROM batch),
named AS (
    SELECT *, user_target(targets) AS target FROM parsed)
SELECT
    seq, file, place, text,
    filled("Id")                                AS record_id,
    COALESCE(filled("ActivityDateTime"), "TimeGenerated") AS time_text,
    COALESCE(filled("ActivityDisplayName"), filled("OperationName")) AS activity,
    COALESCE(filled("ResultReason"), filled("ResultDescription")) AS reason,
    lower(COALESCE(filled("Result"), filled("ResultType"))) AS result,
    -- Rows of 2018 keep the service in the column Category.
    COALESCE(filled("LoggedByService"), CASE
        WHEN "Category" = 'Self-service Password Management' THEN "Category" END) AS service,
    filled("CorrelationId")                     AS correlation_id,
    filled(initiated.user.ipAddress)            AS ip_text,
    detail(details, 'clienttype')               AS client_type,
    detail(details, 'onpremisesagent')          AS agent,
    filled(initiated.user.id)                   AS initiator_id,
    filled(initiated.user.userPrincipalName)    AS initiator_upn,
    COALESCE(filled(initiated.app.displayName), filled(initiated.app.appId)) AS initiator_app,
    filled(target.id)                           AS target_id,
    filled(target.userPrincipalName)            AS target_upn,
    filled("AADTenantId")                       AS tenant_id,
    CASE
        WHEN no_json THEN 'not valid JSON'
        WHEN misshapen_text("InitiatedBy", COALESCE(any_user(initiated.user),
            any_app(initiated.app)), 'OBJECT')
            THEN 'InitiatedBy is not an object'
        WHEN misshapen_text("TargetResources", targets, 'ARRAY')
            THEN 'TargetResources is not a list'
        WHEN misshapen_text("AdditionalDetails", details, 'ARRAY')
            THEN 'AdditionalDetails is not a list'
        WHEN misshapen("TargetResources", '$[0]', targets[1], any_target(targets[1]), 'OBJECT')
            THEN 'TargetResources holds no objects'
        WHEN misshapen("AdditionalDetails", '$[0]', details[1], any_detail(details[1]), 'OBJECT')
            THEN 'AdditionalDetails holds no objects'
    END                                         AS fault,
    COALESCE("TimeGenerated", "ActivityDateTime") IS NOT NULL
        AND COALESCE("OperationName", "ActivityDisplayName") IS NOT NULL
        -- Rows were recorded whose Type is that of their target: it tells where nothing else does.
        AND (COALESCE(lower(filled("Type")), 'auditlogs') = 'auditlogs'
            OR COALESCE("LoggedByService", "InitiatedBy", "TargetResources") IS NOT NULL)
        -- what a row of SigninLogs has
        AND COALESCE("AppDisplayName", "ConditionalAccessStatus", "DeviceDetail") IS NULL AS fits
FROM named
