-- Sign-ins of Azure Monitor diagnostic settings: Graph's record under `properties`, framed.
WITH parsed AS (
    SELECT file, place, sha256, json_transform(body, '{
        "time": "VARCHAR", "category": "VARCHAR", "resultType": "VARCHAR",
        "callerIpAddress": "VARCHAR",
        "properties": {
            "id": "VARCHAR", "createdDateTime": "VARCHAR", "userId": "VARCHAR",
            "userPrincipalName": "VARCHAR", "appDisplayName": "VARCHAR", "appId": "VARCHAR",
            "ipAddress": "VARCHAR", "isInteractive": "BOOLEAN", "signInEventTypes": ["VARCHAR"],
            "status": {"errorCode": "BIGINT"},
            "deviceDetail": {"deviceId": "VARCHAR", "operatingSystem": "VARCHAR",
                "trustType": "VARCHAR"}}}') AS f
    FROM batch),
opened AS (
    SELECT *, f.properties AS r FROM parsed)
SELECT file, place, sha256, r.id AS id, r.createdDateTime AS time_text, f.time AS written_text,
    r.userId AS user_id, r.userPrincipalName AS upn, r.appDisplayName AS app, r.appId AS app_id,
    COALESCE(filled(r.ipAddress), f.callerIpAddress) AS ip_text,
    COALESCE(r.isInteractive, NOT list_contains(r.signInEventTypes, 'nonInteractiveUser'),
        NOT starts_with(lower(f.category), 'noninteractive'), true) AS interactive,
    COALESCE(r.status.errorCode, TRY_CAST(f.resultType AS BIGINT)) AS error,
    r.deviceDetail.deviceId AS device_id, r.deviceDetail.trustType AS trust_text,
    r.deviceDetail.operatingSystem AS os
FROM opened
