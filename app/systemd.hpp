#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace torii::app {

// The service manager's side of a life: sd_notify(3). Without one (no
// NOTIFY_SOCKET) every call does nothing.
namespace service {
void ready(const std::string& status);
void reloading();
void stopping();
void alive();
// How often alive() is to be called: a fifth of what the manager allows, so that a machine
// which is busy for a moment does not cost a gate that works.
std::optional<std::chrono::microseconds> watchdog_interval();
}  // namespace service

}  // namespace torii::app
