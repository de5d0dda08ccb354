-- One form's rows, told the same way in every form. The tenant counts for nothing in `facts`, since
-- only some forms name it: a record with a coarser time must not stay for that alone.
-- What cannot be used has no time, and `why` says why not.
WITH timed AS (
    SELECT *, utc_time(time_text, $zoneless_utc) AS understood FROM found)
SELECT
    seq, file, place, text,
    COALESCE(record_id, 'content:' || substr(sha256(text), 1, 16)) AS record_id,
    record_id IS NOT NULL AS has_id,
    CASE WHEN fits AND fault IS NULL THEN understood END AS time_utc,
    digits(time_text) AS digits,
    activity, reason, result, service, correlation_id, ip_text, client_type, agent,
    initiator_id, initiator_upn, initiator_app, target_id, target_upn, tenant_id,
    CAST((record_id IS NOT NULL)::INT + (activity IS NOT NULL)::INT + (reason IS NOT NULL)::INT
    + (result IS NOT NULL)::INT + (service IS NOT NULL)::INT
    + (correlation_id IS NOT NULL)::INT + (ip_text IS NOT NULL)::INT
    + (client_type IS NOT NULL)::INT + (agent IS NOT NULL)::INT + (initiator_id IS NOT NULL)::INT
    + (initiator_upn IS NOT NULL)::INT + (initiator_app IS NOT NULL)::INT
    + (target_id IS NOT NULL)::INT + (target_upn IS NOT NULL)::INT AS UTINYINT) AS facts,
    COALESCE(fault, CASE WHEN understood IS NULL THEN time_fault(time_text, $zoneless_utc) END) AS why,
    fits
FROM timed
