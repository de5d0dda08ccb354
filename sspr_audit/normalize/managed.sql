-- Devices that Intune manages, in Graph's form.
WITH parsed AS (
    SELECT file, place, json_transform(body, '{
        "azureADDeviceId": "VARCHAR", "userId": "VARCHAR", "userPrincipalName": "VARCHAR",
        "operatingSystem": "VARCHAR", "osVersion": "VARCHAR", "manufacturer": "VARCHAR",
        "model": "VARCHAR", "lastSyncDateTime": "VARCHAR"}') AS r
    FROM batch)
SELECT file, place, guid_key(r.azureADDeviceId) AS device_id, guid_key(r.userId) AS user_id,
    upn_key(r.userPrincipalName) AS upn, filled(r.operatingSystem) AS os,
    filled(r.osVersion) AS os_version, filled(r.manufacturer) AS maker, filled(r.model) AS model,
    utc_time(r.lastSyncDateTime, false) AS last_sync_utc
FROM parsed
