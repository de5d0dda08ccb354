-- What people have registered for password reset, in Graph's form; its id is the person's.
WITH parsed AS (
    SELECT file, place, json_transform(body, '{
        "id": "VARCHAR", "userPrincipalName": "VARCHAR", "isSsprEnabled": "BOOLEAN",
        "isSsprRegistered": "BOOLEAN", "methodsRegistered": ["VARCHAR"]}') AS r
    FROM batch)
SELECT file, place, guid_key(r.id) AS user_id, upn_key(r.userPrincipalName) AS upn,
    r.isSsprEnabled AS enabled, r.isSsprRegistered AS registered,
    array_to_string(r.methodsRegistered, ', ') AS methods
FROM parsed
