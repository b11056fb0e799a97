package parse

import "strings"

func wordSet(words string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(words) {
		set[w] = true
	}
	return set
}

// reserved words cannot stand unquoted as a column, table or function in an expression or in FROM. They can be a
// field (w.end, w.order), an alias after AS, and a column in CREATE TABLE.
var reserved = wordSet(`ALL AND ANY AS BETWEEN CASE CAST CREATE DEFAULT DISTINCT ELSE EXCEPT FALSE FROM GROUP HAVING ILIKE IN INNER
	INTERSECT INTO IS JOIN LIKE LIMIT NATURAL NOT NULL ON OR ORDER QUALIFY SELECT SOME TABLE THEN TRUE UNION USING WHEN
	WHERE WITH`)

// notBareAlias words cannot be an alias without AS.
var notBareAlias = wordSet(`ALL AND ANY AS ASC BETWEEN CASE CAST COLLATE CREATE DESC DISTINCT ELSE END EXCEPT FALSE FETCH FILTER FOR
	FROM GROUP HAVING ILIKE IN INNER INSERT INTERSECT INTO IS ISNULL JOIN CROSS LIKE LIMIT NATURAL NOT NOTNULL NULL OFFSET ON OR
	ORDER OVER QUALIFY SELECT SIMILAR SOME TABLE THEN TRUE UNION USING VALUES WHEN WHERE WITH`)

// notBareTableAlias words, beside those of notBareAlias, cannot be an alias of a relation without AS.
var notBareTableAlias = wordSet(`FULL LATERAL LEFT OUTER RIGHT TABLESAMPLE RETURNING PARTITIONED CLUSTER DISTRIBUTE SORT`)

// statementWords begin statements.
var statementWords = wordSet(`ALTER CREATE DELETE DESCRIBE DROP EXPLAIN INSERT SELECT SET SHOW UPDATE WITH`)

// clauseWords begin clauses: found within parentheses, they show that one is missing.
var clauseWords = wordSet(`FROM WHERE GROUP HAVING ORDER LIMIT UNION INTERSECT EXCEPT QUALIFY VALUES INTO`)
