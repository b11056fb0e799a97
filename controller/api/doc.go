// Package api is the REST API: Arroyo's routes and shapes, on net/http.
//
// In come HTTP requests; what is wanted of pipelines goes into the database, where the controller finds it; what they are
// comes from the database, and rows and metrics of running jobs from the controller. Bodies are JSON in snake_case;
// timestamps are microseconds; errors are {"error": "…"}. Fields of our own stand beside Arroyo's and change none of
// them. One table of routes makes both the handlers and the OpenAPI document.
//
// Handlers block on the database only. Slices and maps handed to New are not modified.
package api
