// A gRPC client of serialized messages, for tests: any method of any service, without generated stubs.
#pragma once

#include <chrono>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace slipway::tests {

class GrpcClient {
 public:
  using Metadata = std::multimap<std::string, std::string>;
  struct Reply {
    int code = 0;
    std::string message;
    std::vector<std::string> bodies;  // serialized messages
    Metadata initial;
    Metadata trailing;
    const std::string& body() const { return bodies.at(0); }
  };

  // `ca`: PEM of the authority to trust; empty: no TLS.
  explicit GrpcClient(const std::string& url, const std::string& ca = {}, int max_message = -1) {
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(max_message);
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // a connection of its own
    std::shared_ptr<grpc::ChannelCredentials> credentials = grpc::InsecureChannelCredentials();
    if (!ca.empty()) {
      grpc::SslCredentialsOptions options;
      options.pem_root_certs = ca;
      credentials = grpc::SslCredentials(options);
    }
    stub_ = std::make_unique<grpc::GenericStub>(grpc::CreateCustomChannel(url, credentials, arguments));
  }

  // Sends the messages, one after the other; with `in_turn` each once the answer to the one before is there. Ends with
  // what the server said.
  Reply call(const std::string& method, const std::vector<std::string>& messages, const Metadata& metadata = {},
             std::chrono::milliseconds deadline = std::chrono::seconds(20), bool in_turn = false) {
    grpc::ClientContext context;
    return call(context, method, messages, metadata, deadline, in_turn);
  }
  Reply call(grpc::ClientContext& context, const std::string& method, const std::vector<std::string>& messages,
             const Metadata& metadata = {}, std::chrono::milliseconds deadline = std::chrono::seconds(20),
             bool in_turn = false) {
    for (const auto& [name, value] : metadata) {
      context.AddMetadata(name, value);
    }
    context.set_deadline(std::chrono::system_clock::now() + deadline);
    grpc::CompletionQueue queue;
    const auto done = [&queue] {
      void* tag = nullptr;
      bool ok = false;
      return queue.Next(&tag, &ok) && ok;
    };
    const auto call = stub_->PrepareCall(&context, method, &queue);
    int tag = 0;
    call->StartCall(&tag);
    bool going = done();
    Reply reply;
    const auto read = [&] {
      grpc::ByteBuffer buffer;
      call->Read(&buffer, &tag);
      if (!done()) {
        return false;
      }
      reply.bodies.push_back(bytes_of(buffer));
      return true;
    };
    for (size_t i = 0; going && i < messages.size(); ++i) {
      const grpc::Slice slice(messages[i]);
      grpc::WriteOptions options;
      if (i + 1 == messages.size() && !in_turn) {
        options.set_last_message();
      }
      call->Write(grpc::ByteBuffer(&slice, 1), options, &tag);
      going = done() && (!in_turn || read());
    }
    if (going && (in_turn || messages.empty())) {
      call->WritesDone(&tag);
      done();
    }
    while (read()) {
    }
    grpc::Status status;
    call->Finish(&status, &tag);
    done();
    reply.code = status.error_code();
    reply.message = status.error_message();
    for (const auto& [name, value] : context.GetServerInitialMetadata()) {
      reply.initial.emplace(std::string(name.data(), name.size()), std::string(value.data(), value.size()));
    }
    for (const auto& [name, value] : context.GetServerTrailingMetadata()) {
      reply.trailing.emplace(std::string(name.data(), name.size()), std::string(value.data(), value.size()));
    }
    queue.Shutdown();
    while (done()) {
    }
    return reply;
  }

 private:
  static std::string bytes_of(const grpc::ByteBuffer& buffer) {
    std::vector<grpc::Slice> slices;
    std::string out;
    if (buffer.Dump(&slices).ok()) {
      for (const grpc::Slice& slice : slices) {
        out.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
      }
    }
    return out;
  }

  std::unique_ptr<grpc::GenericStub> stub_;
};

}  // namespace slipway::tests
