package expr

func timeConversionFunctions() []*function { return nil }
