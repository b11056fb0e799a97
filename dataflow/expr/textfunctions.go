package expr

func textFunctions() []*function { return nil }
