-- How many earthquakes were there on each day, and how strong was the strongest?
CREATE TABLE earthquakes (
  id TEXT NOT NULL,
  time TIMESTAMP NOT NULL,
  mag DOUBLE,
  place TEXT,
  WATERMARK FOR time
) WITH (
  connector = 'single_file',
  path = 'testdata/data/earthquakes.ndjson',
  type = 'source',
  format = 'json'
);

SELECT
  window.start AS day,
  quakes,
  strongest
FROM (
  SELECT tumble(INTERVAL '1 day') AS window, count(*) AS quakes, max(mag) AS strongest
  FROM earthquakes
  GROUP BY window
);
