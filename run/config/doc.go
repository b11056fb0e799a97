// Package config reads Wadi's configuration: built-in defaults, files, and the environment, in layers.
//
// Lowest to highest: built-in defaults; <user config directory>/wadi/config.yaml, then config.toml; ./wadi.yaml, then
// ./wadi.toml; the file of --config; every *.yaml, *.yml and *.toml of --config-dir in the order of their names;
// ARROYO__A__B and then WADI__A__B from the environment. A later layer replaces single keys. Keys and defaults are
// Arroyo's where Arroyo has them. A key that does not exist is refused with its name and the file or variable it came
// from. Loading reads files and nothing else; the result is a value that nobody modifies.
package config
