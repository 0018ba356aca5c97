-- When a person got it: who has not spoken since is waited for, also where no message of the customer's waits.
ALTER TABLE conversations ADD COLUMN handed_over_at timestamptz;

-- For whom a conversation waits: a person, who has not answered or not spoken yet, or whose words, or the agent's, did
-- not arrive; the agent; or its customer. since: the first message that waits, or the handover. spoke_at: when a person
-- last wrote, and it went out.
CREATE OR REPLACE VIEW conversation_waits AS
SELECT c.id AS conversation_id, c.state,
       CASE WHEN c.state = 'closed' THEN NULL
            WHEN w.asked_since IS NOT NULL OR c.state = 'human' AND (w.failed OR unspoken.since IS NOT NULL)
                THEN 'person'
            WHEN w.open_since IS NOT NULL THEN 'agent'
            ELSE 'customer' END AS waits_for,
       CASE WHEN c.state = 'closed' THEN NULL ELSE coalesce(w.asked_since, unspoken.since, w.open_since) END AS since,
       spoke.at AS spoke_at
FROM conversations c
LEFT JOIN LATERAL (
    SELECT m.seq, m.received_at AS at
    FROM messages m JOIN deliveries d ON d.message_id = m.id
    WHERE m.conversation_id = c.id AND m.author = 'human' AND d.status NOT IN ('failed', 'superseded')
    ORDER BY m.seq DESC LIMIT 1
) spoke ON true
LEFT JOIN LATERAL (
    SELECT c.handed_over_at AS since
    WHERE c.state = 'human' AND (spoke.at IS NULL OR spoke.at < c.handed_over_at)
) unspoken ON true
LEFT JOIN LATERAL (
    SELECT min(m.received_at) FILTER (WHERE m.author = 'customer' AND m.outcome = 'escalated') AS asked_since,
           min(m.received_at) FILTER (WHERE m.author = 'customer' AND m.outcome IS NULL) AS open_since,
           coalesce(bool_or(d.status = 'failed' AND m.kind = 'message'), false) AS failed
    FROM messages m LEFT JOIN deliveries d ON d.message_id = m.id
    WHERE m.conversation_id = c.id AND m.seq > coalesce(spoke.seq, 0)
) w ON true;
