#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "app/background_thread.hpp"
#include "base/event.hpp"
#include "config/model.hpp"
#include "config/store.hpp"

namespace torii::app {

// The configurations that were in force, the running one last; on disk where
// there is a state directory. The control thread holds their notes (author, time);
// the background thread holds their texts.
class Revisions {
public:
    Revisions(BackgroundThread& background, const std::string& state_directory);

    // Before anything runs: reads what earlier processes left. The number of the
    // configuration that starts; the last one's when it is the same.
    // `text` is the operator's own, or "".
    std::uint64_t start(const config::Model& model, const std::string& text,
                        config::RevisionNote note);
    // `failed` is called on the background thread with the reason why it could not be kept.
    void add(config::RevisionNote note, std::string text,
             std::function<void(const SystemError&)> failed);
    const std::vector<config::RevisionNote>& notes() const { return notes_; }

    // On the background thread only.
    Result<std::string, SystemError> text(std::uint64_t number) const {
        return store_.text(number);
    }

private:
    BackgroundThread& background_;
    config::RevisionStore store_;  // the background thread, once start() is over
    std::vector<config::RevisionNote> notes_;
};

}  // namespace torii::app
