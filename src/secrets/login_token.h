// A token that a login gives: used by all calls until it ends or is refused.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"
#include "sys/http_client.h"

namespace windlass {

class LoginToken {
 public:
  struct Token {
    Secret text;
    std::chrono::seconds lasts{0};  // 0: until it is refused
  };
  using Login = std::function<Result<Token>()>;
  using Call = std::function<Result<HttpResponse>(const Secret& token)>;

  explicit LoginToken(const Clock& clock) : clock_(clock) {}

  // The call with the token, after a login if there is none; once more after a new login when it is answered by 401.
  // Errors are those of the login and of the call.
  Result<HttpResponse> with(const Login& login, const Call& call);

 private:
  Result<Secret> get(const Login& login);
  void refuse(const Secret& token);

  const Clock& clock_;
  std::mutex mutex_;  // held during a login: whoever comes meanwhile needs its token
  std::optional<Secret> token_;
  SteadyTime ends_at_ = SteadyTime::max();
};

}  // namespace windlass
