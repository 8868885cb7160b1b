#include "app/signals.h"

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <initializer_list>
#include <utility>

namespace windlass {
namespace {

using namespace std::chrono_literals;

constexpr auto kOneWish = 500ms;  // between signals that mean one

sigset_t set_of(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) sigaddset(&set, signal);
  return set;
}

int wait_for(const sigset_t& signals) {
  int received = 0;
  sigwait(&signals, &received);
  return received;
}

}  // namespace

void Signals::block() {
  const auto signals = set_of({SIGINT, SIGTERM, SIGHUP});
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
}

Signals::Signals(Orders orders, Log log)
    : orders_(std::move(orders)), log_(std::move(log)), thread_([this] { obey(); }) {}

Signals::~Signals() {
  finished_ = true;
  pthread_kill(thread_.native_handle(), SIGTERM);  // wakes it where it waits
}

void Signals::obey() {
  const auto all = set_of({SIGINT, SIGTERM, SIGHUP});
  int received = 0;
  while ((received = wait_for(all)) == SIGHUP) orders_.reload();
  if (finished_) return;
  log_.info("shutdown signal received", {{"signal", received == SIGTERM ? "SIGTERM" : "SIGINT"}});
  orders_.stop();
  // One wish may come twice: to the process, and to its whole group.
  const auto first = std::chrono::steady_clock::now();
  const auto stops = set_of({SIGINT, SIGTERM});
  do {
    wait_for(stops);
    if (finished_) return;
  } while (std::chrono::steady_clock::now() - first < kOneWish);
  log_.critical("second signal: leaving at once");
  ::_exit(1);
}

}  // namespace windlass
