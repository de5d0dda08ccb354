-- Devices of the directory, in Graph's form, owners where they were asked for with $expand.
WITH parsed AS (
    SELECT file, place, json_transform(body, '{
        "deviceId": "VARCHAR", "trustType": "VARCHAR", "operatingSystem": "VARCHAR",
        "operatingSystemVersion": "VARCHAR", "approximateLastSignInDateTime": "VARCHAR",
        "registeredOwners": [{"id": "VARCHAR", "userPrincipalName": "VARCHAR"}]}') AS r
    FROM batch)
SELECT file, place, guid_key(r.deviceId) AS device_id, trust_of(r.trustType) AS trust,
    filled(r.operatingSystem) AS os, filled(r.operatingSystemVersion) AS os_version,
    utc_time(r.approximateLastSignInDateTime, false) AS last_sign_in_utc,
    -- several owners are nobody's device in particular
    CASE WHEN len(r.registeredOwners) = 1 THEN guid_key(r.registeredOwners[1].id) END AS user_id,
    CASE WHEN len(r.registeredOwners) = 1 THEN upn_key(r.registeredOwners[1].userPrincipalName)
        END AS upn
FROM parsed
