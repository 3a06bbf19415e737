#include <algorithm>
#include <array>
#include <cctype>

#include "api/graphql_schema.h"

namespace slipway::api::graphql {
namespace {

using enum Member::Kind;
using std::string_view;

constexpr std::array kErrorDetail = {Member{"field"}, Member{"message"}};
constexpr Type kErrorDetailType{"ErrorDetail", kErrorDetail};
constexpr std::array kApiError = {Member{"code"}, Member{"message"}, Member{"helpUrl"}, Member{"traceId"},
                                  Member{"errorDetails", kObjects, &kErrorDetailType}};
constexpr Type kApiErrorType{"ApiError", kApiError};
constexpr Member kErrorMember{"apiError", kError, &kApiErrorType};
constexpr Member kNextPage{"nextPageToken"};

constexpr std::array kPair = {Member{"key"}, Member{"value"}};
constexpr Type kExperimentTagType{"MlflowExperimentTag", kPair};
constexpr Type kRunTagType{"MlflowRunTag", kPair};
constexpr Type kParamType{"MlflowParam", kPair};
constexpr Type kInputTagType{"MlflowInputTag", kPair};
constexpr Type kVersionTagType{"MlflowModelVersionTag", kPair};

constexpr std::array kExperiment = {Member{"experimentId"},
                                    Member{"name"},
                                    Member{"artifactLocation"},
                                    Member{"lifecycleStage"},
                                    Member{"lastUpdateTime", kLong},
                                    Member{"creationTime", kLong},
                                    Member{"tags", kObjects, &kExperimentTagType},
                                    Member{"effectiveTraceArchivalRetention"},
                                    Member{"workspace"}};
constexpr Type kExperimentType{"MlflowExperiment", kExperiment};
constexpr std::array kGetExperiment = {Member{"experiment", kObject, &kExperimentType}, kErrorMember};
constexpr Type kGetExperimentType{"MlflowGetExperimentResponse", kGetExperiment};

constexpr std::array kMetric = {Member{"key"},         Member{"value", kFloat},  Member{"timestamp", kLong}, Member{"step", kLong},
                                Member{"datasetName"}, Member{"datasetDigest"}, Member{"modelId"},          Member{"runId"}};
constexpr Type kMetricType{"MlflowMetricExtension", kMetric};
constexpr Type kModelMetricType{"MlflowModelMetric", kMetric};
constexpr std::array kModelParam = {Member{"name"}, Member{"value"}};
constexpr Type kModelParamType{"MlflowModelParam", kModelParam};
constexpr std::array kJobState = {Member{"jobId"}, Member{"runId"}, Member{"jobState"}, Member{"runState"},
                                  Member{"currentTaskName"}};
constexpr Type kJobStateType{"MlflowModelVersionDeploymentJobState", kJobState};
constexpr std::array kVersion = {Member{"name"},
                                 Member{"version"},
                                 Member{"creationTimestamp", kLong},
                                 Member{"lastUpdatedTimestamp", kLong},
                                 Member{"userId"},
                                 Member{"currentStage"},
                                 Member{"description"},
                                 Member{"source"},
                                 Member{"runId"},
                                 Member{"status"},
                                 Member{"statusMessage"},
                                 Member{"tags", kObjects, &kVersionTagType},
                                 Member{"runLink"},
                                 Member{"aliases", kTexts},
                                 Member{"modelId"},
                                 Member{"modelParams", kObjects, &kModelParamType},
                                 Member{"modelMetrics", kObjects, &kModelMetricType},
                                 Member{"deploymentJobState", kError, &kJobStateType}};
constexpr Type kVersionType{"MlflowModelVersion", kVersion};
constexpr std::array kSearchVersions = {Member{"modelVersions", kObjects, &kVersionType}, kNextPage, kErrorMember};
constexpr Type kSearchVersionsType{"MlflowSearchModelVersionsResponse", kSearchVersions};

constexpr std::array kRunInfo = {Member{"runId"},          Member{"runUuid"}, Member{"runName"},
                                 Member{"experimentId"},   Member{"userId"},  Member{"status"},
                                 Member{"startTime", kLong}, Member{"endTime", kLong}, Member{"artifactUri"},
                                 Member{"lifecycleStage"}};
constexpr Type kRunInfoType{"MlflowRunInfo", kRunInfo};
constexpr std::array kRunData = {Member{"metrics", kObjects, &kMetricType}, Member{"params", kObjects, &kParamType},
                                 Member{"tags", kObjects, &kRunTagType}};
constexpr Type kRunDataType{"MlflowRunData", kRunData};
constexpr std::array kDataset = {Member{"name"},   Member{"digest"}, Member{"sourceType"},
                                 Member{"source"}, Member{"schema"}, Member{"profile"}};
constexpr Type kDatasetType{"MlflowDataset", kDataset};
constexpr std::array kDatasetInput = {Member{"tags", kObjects, &kInputTagType}, Member{"dataset", kObject, &kDatasetType}};
constexpr Type kDatasetInputType{"MlflowDatasetInput", kDatasetInput};
constexpr std::array kModelInput = {Member{"modelId"}};
constexpr Type kModelInputType{"MlflowModelInput", kModelInput};
constexpr std::array kRunInputs = {Member{"datasetInputs", kObjects, &kDatasetInputType},
                                   Member{"modelInputs", kObjects, &kModelInputType}};
constexpr Type kRunInputsType{"MlflowRunInputs", kRunInputs};
constexpr std::array kModelOutput = {Member{"modelId"}, Member{"step", kLong}};
constexpr Type kModelOutputType{"MlflowModelOutput", kModelOutput};
constexpr std::array kRunOutputs = {Member{"modelOutputs", kObjects, &kModelOutputType}};
constexpr Type kRunOutputsType{"MlflowRunOutputs", kRunOutputs};
constexpr std::array kRun = {Member{"info", kObject, &kRunInfoType},
                             Member{"data", kObject, &kRunDataType},
                             Member{"inputs", kObject, &kRunInputsType},
                             Member{"outputs", kObject, &kRunOutputsType},
                             Member{"experiment", kAsked, &kExperimentType, "mlflowGetExperiment"},
                             Member{"modelVersions", kAsked, &kVersionType, "mlflowSearchModelVersions", true}};
constexpr Type kRunType{"MlflowRunExtension", kRun};
constexpr std::array kGetRun = {Member{"run", kObject, &kRunType}, kErrorMember};
constexpr Type kGetRunType{"MlflowGetRunResponse", kGetRun};
constexpr std::array kSearchRuns = {Member{"runs", kObjects, &kRunType}, kNextPage, kErrorMember};
constexpr Type kSearchRunsType{"MlflowSearchRunsResponse", kSearchRuns};

constexpr std::array kPoint = {Member{"key"}, Member{"value", kFloat}, Member{"timestamp", kLong}, Member{"step", kLong},
                               Member{"runId"}};
constexpr Type kPointType{"MlflowMetricWithRunId", kPoint};
constexpr std::array kHistory = {Member{"metrics", kObjects, &kPointType}, kErrorMember};
constexpr Type kHistoryType{"MlflowGetMetricHistoryBulkIntervalResponse", kHistory};
constexpr std::array kFile = {Member{"path"}, Member{"isDir", kBool}, Member{"fileSize", kLong}};
constexpr Type kFileType{"MlflowFileInfo", kFile};
constexpr std::array kListArtifacts = {Member{"rootUri"}, Member{"files", kObjects, &kFileType}, kNextPage, kErrorMember};
constexpr Type kListArtifactsType{"MlflowListArtifactsResponse", kListArtifacts};
constexpr std::array kSummary = {Member{"experimentId"}, Member{"name"}, Member{"digest"}, Member{"context"}};
constexpr Type kSummaryType{"MlflowDatasetSummary", kSummary};
constexpr std::array kDatasets = {Member{"datasetSummaries", kObjects, &kSummaryType}, kErrorMember};
constexpr Type kDatasetsType{"MlflowSearchDatasetsResponse", kDatasets};
constexpr std::array kEcho = {Member{"output"}};
constexpr Type kEchoType{"Test", kEcho};
constexpr Type kEchoMutationType{"TestMutation", kEcho};

constexpr std::array<string_view, 1> kExperimentInput = {"experimentId"};
constexpr std::array<string_view, 2> kRunInput = {"runId", "runUuid"};
constexpr std::array<string_view, 5> kHistoryInput = {"runIds", "metricKey", "startStep", "endStep", "maxResults"};
constexpr std::array<string_view, 4> kArtifactsInput = {"runId", "runUuid", "path", "pageToken"};
constexpr std::array<string_view, 4> kVersionsInput = {"filter", "maxResults", "orderBy", "pageToken"};
constexpr std::array<string_view, 6> kRunsInput = {"experimentIds", "filter", "runViewType", "maxResults", "orderBy", "pageToken"};
constexpr std::array<string_view, 1> kDatasetsInput = {"experimentIds"};

constexpr std::array<Call, 9> kCalls = {{
    {"mlflowGetExperiment", "GET", "/api/2.0/mlflow/experiments/get", "MlflowGetExperimentInput", kExperimentInput,
     &kGetExperimentType},
    {"mlflowGetRun", "GET", "/api/2.0/mlflow/runs/get", "MlflowGetRunInput", kRunInput, &kGetRunType},
    {"mlflowGetMetricHistoryBulkInterval", "GET", "/api/2.0/mlflow/metrics/get-history-bulk-interval",
     "MlflowGetMetricHistoryBulkIntervalInput", kHistoryInput, &kHistoryType},
    {"mlflowListArtifacts", "GET", "/api/2.0/mlflow/artifacts/list", "MlflowListArtifactsInput", kArtifactsInput,
     &kListArtifactsType},
    {"mlflowSearchModelVersions", "GET", "/api/2.0/mlflow/model-versions/search", "MlflowSearchModelVersionsInput",
     kVersionsInput, &kSearchVersionsType},
    {"mlflowSearchRuns", "POST", "/api/2.0/mlflow/runs/search", "MlflowSearchRunsInput", kRunsInput, &kSearchRunsType, true,
     true},
    {"mlflowSearchDatasets", "POST", "/api/2.0/mlflow/experiments/search-datasets", "MlflowSearchDatasetsInput",
     kDatasetsInput, &kDatasetsType, false, true},
    {"test", {}, {}, {}, {}, &kEchoType},
    {"testMutation", {}, {}, {}, {}, &kEchoMutationType, false, true},
}};

}  // namespace

const Call* find_call(string_view name) {
  const auto* found = std::find_if(kCalls.begin(), kCalls.end(), [&](const Call& call) { return call.name == name; });
  return found == kCalls.end() ? nullptr : found;
}

const Member* find_member(const Type& type, string_view name) {
  const auto found = std::find_if(type.members.begin(), type.members.end(), [&](const Member& member) { return member.name == name; });
  return found == type.members.end() ? nullptr : &*found;
}

std::string snake_case(string_view camel) {
  std::string text;
  for (const char c : camel) {
    if (std::isupper(static_cast<unsigned char>(c)) != 0) {
      text += '_';
    }
    text += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return text;
}

}  // namespace slipway::api::graphql
