package expr

func patternFunctions() []*function { return nil }
