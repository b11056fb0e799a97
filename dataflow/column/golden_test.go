package column_test

var goldenHashes = []string{
	"a3ff502f74de3237",
	"88206c9e9db2f11e",
	"7dbab1776d4f76ba",
	"491b847d31eefe0a",
	"0d687feef923e1a6",
	"23fe8f3c2c95b03e",
	"e562475f4148d7f1",
	"57888365f9006401",
	"4f9094b0e5ad4e09",
	"9c45c7e7656a5a76",
	"6cad3fd2e57d38eb",
	"d1d53500938d8089",
	"65a292306d727b58",
	"b3bf1f0e91fd1364",
	"018d1bd2729830fa",
}
