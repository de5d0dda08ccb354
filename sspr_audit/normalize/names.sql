-- A name that was seen with exactly one id is that id. Few events, or those of a form that carries
-- no ids, have only a name.
UPDATE events SET person = ids.id
FROM (
    SELECT upn, min(id) AS id FROM (
        SELECT upn_key(target_upn) AS upn, target_id AS id FROM audit SEMI JOIN events USING (seq)
        UNION ALL
        SELECT upn_key(initiator_upn), initiator_id FROM audit SEMI JOIN events USING (seq))
    WHERE id <> '00000000-0000-0000-0000-000000000000'
        AND upn IN (SELECT upn FROM events WHERE by_name)
    GROUP BY upn HAVING count(DISTINCT id) = 1) AS ids
WHERE by_name AND events.upn = ids.upn
