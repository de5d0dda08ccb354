-- Sign-ins of all forms, one row an id. The service adds to a sign-in what its second factor came
-- to, so of several the last written stays.
-- Needs sign_in_rows, people, and sign_in_ips, which tells each address once.
SELECT r.sign_in_id, r.time_utc, p.person, r.upn, r.app, r.of_windows, r.interactive,
    COALESCE(r.error = 0, false) AS succeeded, r.error, r.device_id, r.trust, r.os,
    i.ip, i.ip_group, i.site
FROM sign_in_rows r
JOIN people p ON p.user_id IS NOT DISTINCT FROM r.user_id AND p.upn IS NOT DISTINCT FROM r.upn
LEFT JOIN sign_in_ips i ON i.text = r.ip_text
WHERE p.person IS NOT NULL AND r.time_utc >= $start AND r.time_utc < $end
QUALIFY row_number() OVER (
    PARTITION BY r.sign_in_id
    -- what Graph was asked for has no time of writing, and is no older than a log
    ORDER BY r.written_utc DESC NULLS FIRST, r.file DESC, r.place DESC) = 1
ORDER BY r.time_utc, r.sign_in_id
