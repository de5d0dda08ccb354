-- Sign-ins in Graph's form. `batch` holds file, place, sha256 and body.
WITH parsed AS (
    SELECT file, place, sha256, json_transform(body, '{
        "id": "VARCHAR", "createdDateTime": "VARCHAR", "userId": "VARCHAR",
        "userPrincipalName": "VARCHAR", "appDisplayName": "VARCHAR", "appId": "VARCHAR",
        "ipAddress": "VARCHAR", "isInteractive": "BOOLEAN", "signInEventTypes": ["VARCHAR"],
        "status": {"errorCode": "BIGINT"},
        "deviceDetail": {"deviceId": "VARCHAR", "operatingSystem": "VARCHAR",
            "trustType": "VARCHAR"}}') AS r
    FROM batch)
SELECT file, place, sha256, r.id AS id, r.createdDateTime AS time_text,
    NULL::VARCHAR AS written_text,   -- asked for later than any log was written
    r.userId AS user_id, r.userPrincipalName AS upn, r.appDisplayName AS app, r.appId AS app_id,
    r.ipAddress AS ip_text,
    COALESCE(r.isInteractive, NOT list_contains(r.signInEventTypes, 'nonInteractiveUser'), true)
        AS interactive,
    r.status.errorCode AS error, r.deviceDetail.deviceId AS device_id,
    r.deviceDetail.trustType AS trust_text, r.deviceDetail.operatingSystem AS os
FROM parsed
