#include "secrets/login_token.h"

namespace windlass {
namespace {

constexpr auto kSpare = std::chrono::seconds(30);  // a token that ends within the call is of no use

}  // namespace

Result<HttpResponse> LoginToken::with(const Login& login, const Call& call) {
  for (bool is_second = false;; is_second = true) {
    const auto token = get(login);
    if (!token) return tl::unexpected(token.error());
    auto response = call(*token);
    if (is_second || !response || response->status != 401) return response;
    refuse(*token);
  }
}

Result<Secret> LoginToken::get(const Login& login) {
  const std::lock_guard lock(mutex_);
  const auto now = clock_.steady_now();
  if (token_ && now < ends_at_) return *token_;
  token_.reset();
  auto made = login();
  if (!made) return while_doing("login", made.error());
  token_ = std::move(made->text);
  ends_at_ = made->lasts.count() == 0 ? SteadyTime::max() : now + std::max(made->lasts - kSpare, made->lasts / 2);
  return *token_;
}

// Somebody else may have logged in since.
void LoginToken::refuse(const Secret& token) {
  const std::lock_guard lock(mutex_);
  if (token_ && token_->reveal() == token.reveal()) token_.reset();
}

}  // namespace windlass
