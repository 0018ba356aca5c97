-- The passages nearest to each vector $4 of the texts $5 by cosine, $7 a text; $6 is the vectors' model, $1 to $3 filter as
-- in knowledge_search. One statement for each width: PostgreSQL takes an index only where a statement has its very words.

-- name: hits_256
WITH asked AS MATERIALIZED (
    SELECT part, vector::vector(256) AS vector FROM unnest($4::text[], $5::int[]) AS given (vector, part)
)
SELECT asked.part, near.passage_id
FROM asked
CROSS JOIN LATERAL (
    SELECT v.passage_id
    FROM knowledge_vectors v
    JOIN knowledge_base k ON k.id = v.passage_id
    WHERE vector_dims(v.embedding) = 256 AND v.model = $6
      AND k.active AND ($1::text IS NULL OR k.product IN ('', $1)) AND ($2::text IS NULL OR k.language = $2)
      AND CASE WHEN $3::text IS NULL THEN k.audience <> 'internal' ELSE k.audience IN ('', 'everyone', $3) END
    ORDER BY v.embedding::vector(256) <=> asked.vector
    LIMIT $7
) AS near

-- name: hits_768
WITH asked AS MATERIALIZED (
    SELECT part, vector::vector(768) AS vector FROM unnest($4::text[], $5::int[]) AS given (vector, part)
)
SELECT asked.part, near.passage_id
FROM asked
CROSS JOIN LATERAL (
    SELECT v.passage_id
    FROM knowledge_vectors v
    JOIN knowledge_base k ON k.id = v.passage_id
    WHERE vector_dims(v.embedding) = 768 AND v.model = $6
      AND k.active AND ($1::text IS NULL OR k.product IN ('', $1)) AND ($2::text IS NULL OR k.language = $2)
      AND CASE WHEN $3::text IS NULL THEN k.audience <> 'internal' ELSE k.audience IN ('', 'everyone', $3) END
    ORDER BY v.embedding::vector(768) <=> asked.vector
    LIMIT $7
) AS near

-- name: hits_1024
WITH asked AS MATERIALIZED (
    SELECT part, vector::vector(1024) AS vector FROM unnest($4::text[], $5::int[]) AS given (vector, part)
)
SELECT asked.part, near.passage_id
FROM asked
CROSS JOIN LATERAL (
    SELECT v.passage_id
    FROM knowledge_vectors v
    JOIN knowledge_base k ON k.id = v.passage_id
    WHERE vector_dims(v.embedding) = 1024 AND v.model = $6
      AND k.active AND ($1::text IS NULL OR k.product IN ('', $1)) AND ($2::text IS NULL OR k.language = $2)
      AND CASE WHEN $3::text IS NULL THEN k.audience <> 'internal' ELSE k.audience IN ('', 'everyone', $3) END
    ORDER BY v.embedding::vector(1024) <=> asked.vector
    LIMIT $7
) AS near

-- name: hits_1536
WITH asked AS MATERIALIZED (
    SELECT part, vector::vector(1536) AS vector FROM unnest($4::text[], $5::int[]) AS given (vector, part)
)
SELECT asked.part, near.passage_id
FROM asked
CROSS JOIN LATERAL (
    SELECT v.passage_id
    FROM knowledge_vectors v
    JOIN knowledge_base k ON k.id = v.passage_id
    WHERE vector_dims(v.embedding) = 1536 AND v.model = $6
      AND k.active AND ($1::text IS NULL OR k.product IN ('', $1)) AND ($2::text IS NULL OR k.language = $2)
      AND CASE WHEN $3::text IS NULL THEN k.audience <> 'internal' ELSE k.audience IN ('', 'everyone', $3) END
    ORDER BY v.embedding::vector(1536) <=> asked.vector
    LIMIT $7
) AS near

-- name: hits_3072
WITH asked AS MATERIALIZED (
    SELECT part, vector::halfvec(3072) AS vector FROM unnest($4::text[], $5::int[]) AS given (vector, part)
)
SELECT asked.part, near.passage_id
FROM asked
CROSS JOIN LATERAL (
    SELECT v.passage_id
    FROM knowledge_vectors v
    JOIN knowledge_base k ON k.id = v.passage_id
    WHERE vector_dims(v.embedding) = 3072 AND v.model = $6
      AND k.active AND ($1::text IS NULL OR k.product IN ('', $1)) AND ($2::text IS NULL OR k.language = $2)
      AND CASE WHEN $3::text IS NULL THEN k.audience <> 'internal' ELSE k.audience IN ('', 'everyone', $3) END
    ORDER BY v.embedding::halfvec(3072) <=> asked.vector
    LIMIT $7
) AS near

-- name: hits_any
-- Vectors of any other width, without an index: each is compared.
WITH asked AS MATERIALIZED (
    SELECT part, vector::vector AS vector FROM unnest($4::text[], $5::int[]) AS given (vector, part)
)
SELECT asked.part, near.passage_id
FROM asked
CROSS JOIN LATERAL (
    SELECT v.passage_id
    FROM knowledge_vectors v
    JOIN knowledge_base k ON k.id = v.passage_id
    WHERE vector_dims(v.embedding) = vector_dims(asked.vector) AND v.model = $6
      AND k.active AND ($1::text IS NULL OR k.product IN ('', $1)) AND ($2::text IS NULL OR k.language = $2)
      AND CASE WHEN $3::text IS NULL THEN k.audience <> 'internal' ELSE k.audience IN ('', 'everyone', $3) END
    ORDER BY v.embedding <=> asked.vector
    LIMIT $7
) AS near
