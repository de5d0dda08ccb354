-- audit → events: what belongs to password reset, with every distinct value told once.
-- Needs the maps activity_map, reason_map, ip_map and client_map (normalize/events.py).
CREATE OR REPLACE TEMP TABLE events AS
WITH known AS NOT MATERIALIZED (
    SELECT
        a.record_id AS event_id, a.time_utc, a.activity, am.known_as,
        -- The activity decides; where nobody knows it, the reason.
        COALESCE(am.role, NULLIF(rm.alone, 'nothing'), 'note') AS role,
        COALESCE(am.person_from, 'user') = 'user' AS by_user,
        CASE WHEN rm.says THEN a.reason END AS reason, rm.reason_key,
        a.result, a.service, a.correlation_id, rm.method,
        CASE
            WHEN am.blocked THEN 'blocked'
            WHEN a.result IN ('failure', 'timeout') AND COALESCE(rm.meaning, 'step')
                IN ('step', 'succeeded') THEN 'failed'
            WHEN rm.meaning IS NOT NULL THEN rm.meaning
            WHEN am.outcome_stage IS NOT NULL AND a.result = 'success' THEN 'succeeded'
        END AS meaning,
        COALESCE(rm.rank, am.rank, 89) AS rank,
        COALESCE(rm.stage, CASE WHEN a.result = 'success' THEN am.outcome_stage END) AS stage,
        -- A flow begins with a user ID; a block can be all that there is of one.
        COALESCE(rm.rank = 10 OR am.blocked, false) AS begins,
        im.ip, im.ip_group, im.site, cm.client, a.client_type, cm.assumed AS client_assumed,
        NULLIF(a.agent, 'None') AS agent,
        NULLIF(a.target_id, '00000000-0000-0000-0000-000000000000') AS target_id,
        lower(a.target_upn) AS target_upn,
        NULLIF(a.initiator_id, '00000000-0000-0000-0000-000000000000') AS initiator_id,
        lower(a.initiator_upn) AS initiator_upn, a.initiator_app
    FROM audit a
    LEFT JOIN activity_map am ON am.text = a.activity
    LEFT JOIN reason_map rm ON rm.text = a.reason
    LEFT JOIN ip_map im ON im.text = a.ip_text
    LEFT JOIN client_map cm ON cm.text = a.client_type
    WHERE am.role IS NOT NULL OR lower(trim(a.service)) = 'self-service password management'
        OR rm.alone <> 'nothing'),
named AS (
    SELECT *,
        COALESCE(target_id, CASE WHEN by_user THEN initiator_id END) AS person_id,
        COALESCE(target_upn, CASE WHEN by_user THEN initiator_upn END) AS upn
    FROM known),
nameless AS (   -- names for which an event has no id: few, or those of a form that carries none
    SELECT DISTINCT upn FROM named WHERE person_id IS NULL AND upn IS NOT NULL),
ids AS (   -- a name that was seen with exactly one id is that id
    SELECT upn, min(id) AS id FROM (
        SELECT target_upn AS upn, target_id AS id FROM known
        WHERE target_upn IN (FROM nameless)
        UNION ALL
        SELECT initiator_upn, initiator_id FROM known WHERE initiator_upn IN (FROM nameless))
    WHERE id IS NOT NULL
    GROUP BY upn HAVING count(DISTINCT id) = 1)
SELECT
    event_id, time_utc, activity, known_as, role, reason, reason_key, result, meaning, rank, stage,
    begins, method, service, correlation_id,
    CASE WHEN role = 'flow' THEN CASE
        WHEN COALESCE(trim(correlation_id), '') IN ('', '00000000-0000-0000-0000-000000000000')
            THEN 'event:' || event_id
        ELSE lower(trim(correlation_id)) END END AS flow_id,
    COALESCE(named.person_id, ids.id, named.upn) AS person, named.upn,
    COALESCE(initiator_upn, initiator_id, initiator_app) AS actor,
    COALESCE(initiator_upn, initiator_id) IS NOT NULL
        AND NOT starts_with(COALESCE(initiator_upn, ''), 'fim_password_service@')
        AND NOT starts_with(COALESCE(initiator_upn, ''), 'sync_') AS by_human,
    ip, ip_group, site, client, client_type, client_assumed, agent
FROM named LEFT JOIN ids ON ids.upn = named.upn
