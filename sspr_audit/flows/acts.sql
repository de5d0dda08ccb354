-- events → acts: password changes, admin resets and registrations. Contract: counting rule 6.
CREATE OR REPLACE TEMP TABLE acts AS
WITH own AS (
    SELECT *,
        CASE role WHEN 'change' THEN 'password-change' WHEN 'echo' THEN 'admin-reset'
            ELSE role END AS kind,
        CASE
            WHEN meaning IN ('failed', 'succeeded') THEN meaning
            WHEN result = 'success' THEN 'succeeded'
            WHEN result IN ('failure', 'timeout') THEN 'failed'
        END AS ended
    FROM events
    WHERE role IN ('change', 'admin-reset', 'registration')
        -- a reset by a human that no event of the reset service caused
        OR (known_as = 'Reset user password' AND by_human
            AND event_id NOT IN (SELECT event_id FROM echoes))),
keyed AS (   -- a registration is one per person and correlationId; nobody registered by failing
    SELECT *,
        CASE WHEN kind = 'registration'
            AND COALESCE(trim(correlation_id), '')
                NOT IN ('', '00000000-0000-0000-0000-000000000000')
            THEN lower(trim(correlation_id)) || ' ' || COALESCE(person, '')
            ELSE event_id || ' ' || epoch_ns(time_utc) END AS act   -- ids can stand twice
    FROM own WHERE kind <> 'registration' OR ended IS DISTINCT FROM 'failed'),
ordered AS (
    SELECT *, row_number() OVER (
        PARTITION BY kind, act
        ORDER BY epoch_ns(time_utc) // 1000000, rank, event_id, time_utc, activity, reason) AS place
    FROM keyed),
grouped AS (
    SELECT
        arg_min(event_id, place) AS act_id, kind, min(time_utc) AS time_utc,
        bool_or(ended = 'succeeded') AS succeeded, bool_or(ended = 'failed') AS failed,
        arg_min(person, place) AS person, arg_min(upn, place) AS upn,
        arg_min(actor, place) AS actor,
        arg_max({'r': reason, 'k': reason_key}, place) FILTER (reason IS NOT NULL) AS why,
        arg_min(ip, place) AS ip, arg_min(ip_group, place) AS ip_group,
        arg_min({'site': site}, place) FILTER (ip IS NOT NULL) AS at_site,
        arg_min(client, place) AS client, arg_min(agent, place) AS agent, count(*) AS events
    FROM ordered GROUP BY kind, act)
SELECT
    act_id, kind, time_utc,
    CASE WHEN succeeded THEN 'succeeded' WHEN failed THEN 'failed' END AS outcome,
    person, upn, actor, why.r AS reason, why.k AS reason_key, ip, ip_group, at_site.site AS site,
    client, agent, events
FROM grouped
ORDER BY time_utc, act_id
