-- How many links were mailed within the hour is asked at each one.
CREATE INDEX verifications_links ON verifications (created_at) WHERE kind = 'link';
