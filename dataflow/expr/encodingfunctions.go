package expr

func encodingFunctions() []*function { return nil }
