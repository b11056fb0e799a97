package api

import (
	"net/http"

	"wadi/controller"
	"wadi/controller/connection"
)

// route is one operation of the API. The samples are values whose types make the schemas of the OpenAPI document.
type route struct {
	method, path, id, summary string
	do                        handler
	// body is what is posted, answer what comes back; nil for nothing.
	body, answer any
	query        []string
	// stream marks server-sent events.
	stream bool
}

func (s *server) routes() []route {
	const job = "/pipelines/{id}/jobs/{job}"
	paging := []string{"starting_after", "limit"}
	return []route{
		{method: "GET", path: "/ping", id: "ping", summary: "Tell that the API is there", do: s.ping, answer: ""},
		{method: "GET", path: "/api-docs/openapi.json", do: s.openAPI},
		{method: "GET", path: "/connectors", id: "get_connectors", summary: "List the connectors", do: s.getConnectors, answer: list[connectorShape]{}},
		{method: "GET", path: "/connection_profiles", id: "get_connection_profiles", summary: "List the connection profiles",
			do: s.getProfiles, answer: list[connectionProfileShape]{}},
		{method: "POST", path: "/connection_profiles", id: "create_connection_profile", summary: "Save a connection profile",
			do: s.createProfile, body: connectionProfilePost{}, answer: connectionProfileShape{}},
		{method: "POST", path: "/connection_profiles/test", id: "test_connection_profile", summary: "Check a connection profile without saving it",
			do: s.testProfile, body: connectionProfilePost{}, answer: testSourceMessage{}},
		{method: "DELETE", path: "/connection_profiles/{id}", id: "delete_connection_profile", summary: "Delete a connection profile", do: s.deleteProfile},
		{method: "GET", path: "/connection_profiles/{id}/autocomplete", id: "get_connection_profile_autocomplete",
			summary: "Propose values of options", do: s.autocomplete, answer: autocompletion{}},
		{method: "GET", path: "/connection_tables", id: "get_connection_tables", summary: "List the connection tables",
			do: s.getTables, answer: paginated[connectionTableShape]{}, query: paging},
		{method: "POST", path: "/connection_tables", id: "create_connection_table", summary: "Save a connection table, which queries can use by its name",
			do: s.createTable, body: connectionTablePost{}, answer: connectionTableShape{}},
		{method: "POST", path: "/connection_tables/test", id: "test_connection_table", summary: "Check a connection table without saving it",
			do: s.testTable, body: connectionTablePost{}, answer: testSourceMessage{}, stream: true},
		{method: "POST", path: "/connection_tables/schemas/test", id: "test_schema", summary: "Check a schema", do: s.testSchema, body: connection.Schema{}},
		{method: "DELETE", path: "/connection_tables/{id}", id: "delete_connection_table", summary: "Delete a connection table", do: s.deleteTable},
		{method: "POST", path: "/pipelines/validate_query", id: "validate_query", summary: "Plan a query without running it",
			do: s.validateQuery, body: queryPost{}, answer: validation{}},
		{method: "POST", path: "/pipelines", id: "create_pipeline", summary: "Create a pipeline and start its job",
			do: s.createPipeline, body: pipelinePost{}, answer: pipelineShape{}},
		{method: "POST", path: "/pipelines/preview", id: "create_preview_pipeline", summary: "Run a query for a minute and watch its rows",
			do: s.createPreview, body: previewPost{}, answer: pipelineShape{}},
		{method: "PUT", path: "/pipelines/{id}", id: "put_pipeline", summary: "Create a pipeline with an id of one's choice",
			do: s.putPipeline, body: pipelinePost{}, answer: pipelineShape{}},
		{method: "PATCH", path: "/pipelines/{id}", id: "patch_pipeline", summary: "Stop, start or change a pipeline",
			do: s.patchPipeline, body: pipelinePatch{}, answer: pipelineShape{}},
		{method: "POST", path: "/pipelines/{id}/restart", id: "restart_pipeline", summary: "Restart a pipeline",
			do: s.restartPipeline, body: restartPost{}, answer: pipelineShape{}},
		{method: "GET", path: "/pipelines/{id}", id: "get_pipeline", summary: "Get a pipeline", do: s.getPipeline, answer: pipelineShape{}},
		{method: "DELETE", path: "/pipelines/{id}", id: "delete_pipeline", summary: "Delete a pipeline and its state", do: s.deletePipeline},
		{method: "GET", path: "/pipelines", id: "get_pipelines", summary: "List the pipelines", do: s.getPipelines,
			answer: paginated[pipelineShape]{}, query: paging},
		{method: "GET", path: "/jobs", id: "get_jobs", summary: "List the jobs", do: s.getJobs, answer: list[jobShape]{}},
		{method: "GET", path: "/pipelines/{id}/jobs", id: "get_pipeline_jobs", summary: "List the jobs of a pipeline",
			do: s.getPipelineJobs, answer: list[jobShape]{}},
		{method: "GET", path: job + "/errors", id: "get_job_errors", summary: "List the errors of a job, newest first",
			do: s.getJobErrors, answer: paginated[logShape]{}, query: paging},
		{method: "GET", path: job + "/checkpoints", id: "get_job_checkpoints", summary: "List the checkpoints of a job",
			do: s.getCheckpoints, answer: list[checkpointShape]{}},
		{method: "GET", path: job + "/checkpoints/{epoch}/operator_checkpoint_groups", id: "get_checkpoint_details",
			summary: "Get what operators did in a checkpoint", do: s.getCheckpointDetails, answer: list[controller.OperatorGroup]{}},
		{method: "GET", path: job + "/operator_metric_groups", id: "get_operator_metric_groups", summary: "Get the rates of a job",
			do: s.getMetrics, answer: list[controller.OperatorMetricGroup]{}},
		{method: "GET", path: job + "/output", id: "get_job_output", summary: "Follow the preview rows of a job",
			do: s.getOutput, answer: controller.OutputData{}, stream: true},
	}
}

func (s *server) ping(w http.ResponseWriter, _ *http.Request) error { return ok(w, "Pong") }
