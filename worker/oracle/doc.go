// Package oracle holds tests that compare answers with those of a second engine, DuckDB, which .ci/oracle installs:
// scalar functions and operators over generated values, aggregates over generated rows, and what updating queries leave
// after each prefix of a random changelog. Where the engine is absent the tests are skipped, with a line that says so.
//
// What differs on purpose is listed in the tests with a reason, and from there in docs/sql/differences.md.
//
//	-oracle.rounds    how many seeds to try; the first is always the same
//	-oracle.seed      the first seed
//	-oracle.rewrite   rewrite the table of docs/sql/differences.md
//
// The package has no code of its own. The second engine is a process that the tests start and end.
package oracle
