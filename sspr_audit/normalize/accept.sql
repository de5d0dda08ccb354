-- The rows of `normal` that can be used → audit. The tenant counts for nothing in `facts`, since only
-- some forms name it: a record with a coarser time must not stay for that alone.
INSERT INTO audit
SELECT
    seq, file, place, COALESCE(record_id, content_id), record_id IS NOT NULL,
    time_utc, digits(time_text), activity, reason, result, service, correlation_id,
    ip_text, client_type, agent, initiator_id, initiator_upn, initiator_app, target_id, target_upn,
    tenant_id,
    (record_id IS NOT NULL)::INT + (activity IS NOT NULL)::INT + (reason IS NOT NULL)::INT
    + (result IS NOT NULL)::INT + (service IS NOT NULL)::INT
    + (correlation_id IS NOT NULL)::INT + (ip_text IS NOT NULL)::INT
    + (client_type IS NOT NULL)::INT + (agent IS NOT NULL)::INT + (initiator_id IS NOT NULL)::INT
    + (initiator_upn IS NOT NULL)::INT + (initiator_app IS NOT NULL)::INT
    + (target_id IS NOT NULL)::INT + (target_upn IS NOT NULL)::INT
FROM normal
WHERE left_over IS NULL
