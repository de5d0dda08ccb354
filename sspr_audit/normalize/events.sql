-- audit → events: what belongs to password reset, with every distinct value told once.
-- Needs the type word and the maps of normalize/events.py.
CREATE OR REPLACE TEMP TABLE events AS
WITH correlations AS (   -- told once each, because trim takes long
    SELECT text, lower(trim(text)) AS id FROM (SELECT DISTINCT correlation_id AS text FROM audit)),
known AS (
    SELECT
        a.seq, a.record_id AS event_id, a.time_utc, am.word AS activity, am.known_as,
        -- The activity decides; where nobody knows it, the reason.
        COALESCE(am.role, NULLIF(rm.alone, 'nothing'), 'note'::word) AS role,
        COALESCE(am.person_from = 'user', true) AS by_user,
        CASE WHEN rm.says THEN rm.word END AS reason, rm.reason_key,
        re.word AS result, se.word AS service, a.correlation_id,
        CASE WHEN co.id NOT IN ('', '00000000-0000-0000-0000-000000000000') THEN co.id END
            AS correlation,
        rm.method,
        CASE
            WHEN am.blocked THEN 'blocked'::word
            WHEN re.word IN ('failure', 'timeout')
                AND COALESCE(rm.meaning IN ('step', 'succeeded'), true) THEN 'failed'::word
            WHEN rm.meaning IS NOT NULL THEN rm.meaning
            WHEN am.outcome_stage IS NOT NULL AND re.word = 'success' THEN 'succeeded'::word
        END AS meaning,
        COALESCE(rm.rank, am.rank, 89) AS rank,
        COALESCE(rm.stage, CASE WHEN re.word = 'success' THEN am.outcome_stage END) AS stage,
        -- A flow begins with a user ID; a block can be all that there is of one.
        COALESCE(rm.rank = 10 OR am.blocked, false) AS begins,
        im.ip, im.ip_group, im.site, cm.client, cm.word AS client_type, cm.assumed AS client_assumed,
        NULLIF(ag.word, 'None') AS agent,
        NULLIF(a.target_id, '00000000-0000-0000-0000-000000000000') AS target_id,
        upn_key(a.target_upn) AS target_upn,
        NULLIF(a.initiator_id, '00000000-0000-0000-0000-000000000000') AS initiator_id,
        upn_key(a.initiator_upn) AS initiator_upn, a.initiator_app
    FROM audit a
    LEFT JOIN activity_map am ON am.text = a.activity
    LEFT JOIN reason_map rm ON rm.text = a.reason
    LEFT JOIN ip_text_map im ON im.text = a.ip_text
    LEFT JOIN client_type_map cm ON cm.text = a.client_type
    LEFT JOIN result_map re ON re.text = a.result
    LEFT JOIN service_map se ON se.text = a.service
    LEFT JOIN agent_map ag ON ag.text = a.agent
    LEFT JOIN correlations co ON co.text = a.correlation_id
    WHERE am.role IS NOT NULL OR rm.alone <> 'nothing' OR se.ours),
named AS (
    SELECT *,
        COALESCE(target_id, CASE WHEN by_user THEN initiator_id END) AS person_id,
        COALESCE(target_upn, CASE WHEN by_user THEN initiator_upn END) AS upn
    FROM known)
SELECT
    seq, event_id, time_utc, activity, known_as, role, reason, reason_key, result, meaning, rank, stage,
    begins, method, service, correlation_id,
    CASE WHEN role = 'flow' THEN COALESCE(correlation, 'event:' || event_id) END AS flow_id,
    COALESCE(person_id, upn) AS person, upn, person_id IS NULL AND upn IS NOT NULL AS by_name,
    COALESCE(initiator_upn, initiator_id, initiator_app) AS actor,
    COALESCE(initiator_upn, initiator_id) IS NOT NULL
        AND NOT starts_with(COALESCE(initiator_upn, ''), 'fim_password_service@')
        AND NOT starts_with(COALESCE(initiator_upn, ''), 'sync_') AS by_human,
    ip, ip_group, site, client, client_type, client_assumed, agent
FROM named
