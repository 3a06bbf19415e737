#include "cli/app.h"
#include "cli/command.h"
#include "cli/commands/factories.h"

namespace slipway::cli {

Parameters parameters_of(Command& command) {
  Parameters parameters;
  command.describe(parameters);
  GlobalOptions global;
  base::FieldTable table;
  global.describe(table);
  parameters.flags.drop_fields_of(table);
  return parameters;
}

const std::vector<CommandFactory>& all_commands() {
  static const std::vector<CommandFactory> kCommands = {
      make_run,          make_plan,         make_train,           make_train_tagger, make_train_langid, make_train_relations, make_segment, make_tag, make_relations, make_langid, make_convert_script, make_evaluate,        make_predict,
      make_explain,      make_serve, make_server, make_annotate, make_annotate_import, make_annotate_export, make_annotate_agreement, make_annotate_review, make_annotate_weak_labels,          make_generate, make_chat, make_bench, make_perplexity,          make_tokenizer_encode, make_tokenizer_decode, make_tokenizer_train, make_runs,
      make_runs_show,    make_runs_create, make_runs_log, make_runs_finish, make_runs_sync, make_runs_approve, make_runs_reject,     make_models,          make_models_show,
      make_models_alias, make_models_approve, make_models_reject, make_models_withdraw, make_models_policy, make_models_diff, make_models_served, make_models_inspect, make_models_quantize, make_models_export, make_data_crawl, make_data_extract, make_data_clean, make_data_dedup, make_data_decontaminate, make_vectors_nearest, make_vectors_analogy, make_artifacts,
      make_artifacts_get, make_pull, make_push,
      make_lineage,
      make_deployments,  make_deployments_canary, make_deployments_rollback, make_deployments_stop, make_monitor_events,
      make_monitor_simulate, make_store_verify, make_store_stats, make_gc, make_export, make_import, make_import_mlflow, make_import_tensorboard, make_import_wandb,    make_users_add, make_users_list, make_users_remove, make_users_passwd, make_users_grant, make_tokens_create, make_tokens_list, make_tokens_revoke, make_audit_list, make_audit_verify,
      make_data_agreement, make_data_annotations, make_data_label_errors,
      make_data_pii, make_data_pack, make_data_tokens, make_data_sql,
      make_data_scan, make_train_ngrams, make_train_scanner,
      make_data_branch, make_data_card, make_data_checkout, make_data_commit, make_data_diff, make_data_log, make_data_merge, make_data_tag,
      make_data_forget, make_data_infer_schema, make_data_profile, make_data_report, make_data_validate,
      make_doctor,          make_completion,
      make_man};
  return kCommands;
}

}  // namespace slipway::cli
