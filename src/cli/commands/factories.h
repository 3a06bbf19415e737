// The factories of all commands; commands.cc lists them. One file a command (or a noun's small verbs).
#pragma once

#include <memory>

#include "cli/command.h"

namespace slipway::cli {

std::unique_ptr<Command> make_run();
std::unique_ptr<Command> make_plan();
std::unique_ptr<Command> make_train();
std::unique_ptr<Command> make_evaluate();
std::unique_ptr<Command> make_train_tagger();
std::unique_ptr<Command> make_train_langid();
std::unique_ptr<Command> make_segment();
std::unique_ptr<Command> make_tag();
std::unique_ptr<Command> make_langid();
std::unique_ptr<Command> make_convert_script();
std::unique_ptr<Command> make_predict();
std::unique_ptr<Command> make_explain();
std::unique_ptr<Command> make_serve();
std::unique_ptr<Command> make_server();
std::unique_ptr<Command> make_chat();
std::unique_ptr<Command> make_generate();
std::unique_ptr<Command> make_bench();
std::unique_ptr<Command> make_perplexity();
std::unique_ptr<Command> make_tokenizer_encode();
std::unique_ptr<Command> make_tokenizer_decode();
std::unique_ptr<Command> make_tokenizer_train();
std::unique_ptr<Command> make_runs();
std::unique_ptr<Command> make_runs_show();
std::unique_ptr<Command> make_runs_create();
std::unique_ptr<Command> make_runs_log();
std::unique_ptr<Command> make_runs_finish();
std::unique_ptr<Command> make_runs_sync();
std::unique_ptr<Command> make_runs_approve();
std::unique_ptr<Command> make_runs_reject();
std::unique_ptr<Command> make_models();
std::unique_ptr<Command> make_models_show();
std::unique_ptr<Command> make_models_alias();
std::unique_ptr<Command> make_models_approve();
std::unique_ptr<Command> make_models_reject();
std::unique_ptr<Command> make_models_withdraw();
std::unique_ptr<Command> make_models_policy();
std::unique_ptr<Command> make_models_diff();
std::unique_ptr<Command> make_models_served();
std::unique_ptr<Command> make_models_inspect();
std::unique_ptr<Command> make_models_quantize();
std::unique_ptr<Command> make_models_export();
std::unique_ptr<Command> make_data_clean();
std::unique_ptr<Command> make_vectors_nearest();
std::unique_ptr<Command> make_vectors_analogy();
std::unique_ptr<Command> make_artifacts();
std::unique_ptr<Command> make_artifacts_get();
std::unique_ptr<Command> make_pull();
std::unique_ptr<Command> make_push();
std::unique_ptr<Command> make_lineage();
std::unique_ptr<Command> make_deployments();
std::unique_ptr<Command> make_deployments_canary();
std::unique_ptr<Command> make_deployments_rollback();
std::unique_ptr<Command> make_deployments_stop();
std::unique_ptr<Command> make_monitor_events();
std::unique_ptr<Command> make_monitor_simulate();
std::unique_ptr<Command> make_store_stats();
std::unique_ptr<Command> make_store_verify();
std::unique_ptr<Command> make_gc();
std::unique_ptr<Command> make_export();
std::unique_ptr<Command> make_import();
std::unique_ptr<Command> make_import_mlflow();
std::unique_ptr<Command> make_import_tensorboard();
std::unique_ptr<Command> make_import_wandb();
std::unique_ptr<Command> make_users_add();
std::unique_ptr<Command> make_users_list();
std::unique_ptr<Command> make_users_remove();
std::unique_ptr<Command> make_users_passwd();
std::unique_ptr<Command> make_users_grant();
std::unique_ptr<Command> make_tokens_create();
std::unique_ptr<Command> make_tokens_list();
std::unique_ptr<Command> make_tokens_revoke();
std::unique_ptr<Command> make_audit_list();
std::unique_ptr<Command> make_audit_verify();
std::unique_ptr<Command> make_data_pii();
std::unique_ptr<Command> make_doctor();
std::unique_ptr<Command> make_completion();
std::unique_ptr<Command> make_man();

}  // namespace slipway::cli
