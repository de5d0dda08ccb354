-- events → acts: password changes, admin resets and registrations, one row an act.
CREATE OR REPLACE TEMP TABLE acts AS
WITH own AS (
    SELECT *, epoch_ns(time_utc) // 1000000 AS time_ms,
        CASE role WHEN 'change' THEN 'password-change' WHEN 'echo' THEN 'admin-reset'
            ELSE role END AS kind
    FROM events
    WHERE role IN ('change', 'admin-reset', 'registration')
        -- A reset in Core Directory by a human, without an event of the reset service beside it.
        OR (role = 'echo' AND lower(activity) = 'reset user password'
            AND contains(actor, '@') AND NOT starts_with(actor, 'fim_password_service@')
            AND NOT starts_with(actor, 'sync_') AND initiator_id IS DISTINCT FROM person
            AND event_id NOT IN (SELECT event_id FROM echoes))),
keyed AS (   -- events that share kind, person and correlationId are one act
    SELECT *, CASE
        WHEN correlation_id IS NULL
            OR correlation_id = '00000000-0000-0000-0000-000000000000' THEN event_id
        ELSE lower(correlation_id) || ' ' || COALESCE(person, '') END AS act
    FROM own),
failures AS (
    SELECT *,
        CASE
            WHEN meaning IN ('failed', 'succeeded') THEN meaning
            WHEN result = 'success' THEN 'succeeded'
            WHEN result IN ('failure', 'timeout') THEN 'failed'
        END AS outcome
    FROM keyed)
SELECT
    first(event_id ORDER BY time_ms, rank, event_id) AS act_id,
    kind,
    min(time_utc) AS time_utc,
    CASE WHEN bool_or(outcome = 'succeeded') THEN 'succeeded'
        WHEN bool_or(outcome = 'failed') THEN 'failed' END AS outcome,
    first(person ORDER BY time_ms, rank, event_id) AS person,
    first(upn ORDER BY time_ms, rank, event_id) AS upn,
    first(actor ORDER BY time_ms, rank, event_id) AS actor,
    last(reason ORDER BY time_ms, rank, event_id) FILTER (reason IS NOT NULL) AS reason,
    last(reason_key ORDER BY time_ms, rank, event_id) FILTER (reason_key IS NOT NULL) AS reason_key,
    first(ip ORDER BY time_ms, rank, event_id) FILTER (ip IS NOT NULL) AS ip,
    first(ip_group ORDER BY time_ms, rank, event_id) FILTER (ip IS NOT NULL) AS ip_group,
    first(site ORDER BY time_ms, rank, event_id) FILTER (ip IS NOT NULL) AS site,
    first(client ORDER BY time_ms, rank, event_id) FILTER (client IS NOT NULL) AS client,
    first(agent ORDER BY time_ms, rank, event_id) FILTER (agent IS NOT NULL) AS agent,
    count(*) AS events
FROM failures
WHERE kind <> 'registration' OR outcome IS DISTINCT FROM 'failed'
GROUP BY kind, act
ORDER BY time_utc, act_id
