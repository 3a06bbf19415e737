// Private to net: the server's certificate for gRPC, which may be replaced while it runs.
#pragma once

#include <grpcpp/security/server_credentials.h>
#include <memory>
#include <mutex>
#include <string>

#include "net/tls.h"

namespace slipway::net {

// The PEM files, checked by TlsCertificate before the library sees them. Any thread.
class GrpcCertificate {
 public:
  // Throws as TlsCertificate's constructor.
  GrpcCertificate(std::string cert_file, std::string key_file);
  // Throws likewise; the old ones stay then.
  void reload();
  // For a server's port; this outlives it. Each handshake gets the newest certificate.
  std::shared_ptr<grpc::ServerCredentials> credentials();

 private:
  friend class GrpcCertificateFetcher;
  void read();

  const std::string cert_file_;
  const std::string key_file_;
  TlsCertificate check_;
  std::mutex mutex_;  // guards the rest
  std::string cert_;
  std::string key_;
  bool changed_ = true;  // since the library asked
};

}  // namespace slipway::net
