-- Whom a row of context is about, spelled as in `events` → people(user_id, upn, person).
-- A name that was seen with exactly one id is that id, be it in audit records or in context.
-- Needs named(user_id, upn): every pair that context names.
CREATE OR REPLACE TEMP TABLE people AS
WITH known AS (
    SELECT lower(person) AS key, min(person) AS person FROM events
    WHERE person IS NOT NULL GROUP BY 1),
unsure AS (   -- names that stand alone somewhere; all others need no id
    SELECT upn FROM named WHERE user_id IS NULL
    UNION
    SELECT key FROM known WHERE contains(key, '@')),
seen AS (
    SELECT upn, user_id AS id FROM named WHERE user_id IS NOT NULL
    UNION ALL
    SELECT upn_key(target_upn), guid_key(target_id) FROM audit
    UNION ALL
    SELECT upn_key(initiator_upn), guid_key(initiator_id) FROM audit),
ids AS (
    SELECT upn, min(id) AS id FROM seen SEMI JOIN unsure USING (upn)
    WHERE id IS NOT NULL GROUP BY upn HAVING count(DISTINCT id) = 1)
SELECT n.user_id, n.upn,
    COALESCE(by_id.person, by_name.person, n.user_id, ids.id, n.upn) AS person
FROM named n
LEFT JOIN ids ON ids.upn = n.upn
LEFT JOIN known by_id ON by_id.key = COALESCE(n.user_id, ids.id)
-- Events that only ever had the name keep it; with another id it may be somebody else.
LEFT JOIN known by_name ON by_name.key = n.upn AND (n.user_id IS NULL OR ids.id = n.user_id)
