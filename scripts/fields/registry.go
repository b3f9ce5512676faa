package registry

// All gives the registered kinds.
func All() map[string]NewDocumentFunc {
	return registry.registered
}
