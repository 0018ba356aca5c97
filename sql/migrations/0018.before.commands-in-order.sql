-- STOP and START come late when a webhook is missed or an event is tried again: what was said last counts.
ALTER TABLE whatsapp_numbers ADD COLUMN commanded_at timestamptz;
