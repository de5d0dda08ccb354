-- Rows of the Log Analytics tables SigninLogs and AADNonInteractiveUserSignInLogs. The nested
-- columns are JSON texts, or JSON after all.
WITH parsed AS (
    SELECT file, place, sha256, json_transform(body, '{
        "Id": "VARCHAR", "CreatedDateTime": "VARCHAR", "TimeGenerated": "VARCHAR",
        "UserId": "VARCHAR", "UserPrincipalName": "VARCHAR", "AppDisplayName": "VARCHAR",
        "AppId": "VARCHAR", "IPAddress": "VARCHAR", "IsInteractive": "VARCHAR",
        "ResultType": "VARCHAR", "Type": "VARCHAR", "Category": "VARCHAR",
        "DeviceDetail": "VARCHAR"}') AS r
    FROM batch),
opened AS (
    SELECT *, json_transform(
        CASE WHEN json_valid(r.DeviceDetail) THEN r.DeviceDetail END,
        '{"deviceId": "VARCHAR", "operatingSystem": "VARCHAR", "trustType": "VARCHAR"}') AS device
    FROM parsed)
SELECT file, place, sha256, r.Id AS id,
    COALESCE(filled(r.CreatedDateTime), r.TimeGenerated) AS time_text,
    r.TimeGenerated AS written_text, r.UserId AS user_id, r.UserPrincipalName AS upn,
    r.AppDisplayName AS app, r.AppId AS app_id, r.IPAddress AS ip_text,
    COALESCE(TRY_CAST(lower(r.IsInteractive) AS BOOLEAN),
        NOT contains(lower(COALESCE(filled(r.Type), r.Category)), 'noninteractive'), true)
        AS interactive,
    TRY_CAST(r.ResultType AS BIGINT) AS error, device.deviceId AS device_id,
    device.trustType AS trust_text, device.operatingSystem AS os
FROM opened
