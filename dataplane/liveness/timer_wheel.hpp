#pragma once

#include <array>
#include <cstdint>

namespace torii::dataplane {

// A link of a timer wheel's lists, part of what it wakes.
struct Timer {
    Timer* next = nullptr;
    Timer* previous = nullptr;
    std::uint64_t due = 0;

    bool armed() const { return next != nullptr; }
};

// Timers of one worker, hashed by the tick they are due in: arming and disarming are
// a few stores, time passing costs what is due. Those further away than the wheel is
// long are passed over once a round. Times in ticks; one thread.
class TimerWheel {
public:
    TimerWheel() {
        for (auto& head : slots_) head.next = head.previous = &head;
    }
    TimerWheel(const TimerWheel&) = delete;
    TimerWheel& operator=(const TimerWheel&) = delete;

    std::uint64_t now() const { return now_; }
    void start_at(std::uint64_t now) { now_ = now; }

    // Not before the next tick, whatever is asked.
    void arm(Timer& timer, std::uint64_t due) {
        disarm(timer);
        timer.due = due > now_ ? due : now_ + 1;
        auto& head = slots_[timer.due % kSlots];
        timer.next = &head;
        timer.previous = head.previous;
        head.previous->next = &timer;
        head.previous = &timer;
    }
    void disarm(Timer& timer) {
        if (!timer.armed()) return;
        timer.previous->next = timer.next;
        timer.next->previous = timer.previous;
        timer.next = timer.previous = nullptr;
    }

    // Calls fire(timer) for each that is due up to `now`; it is disarmed by then and
    // may be armed again.
    template <class F>
    void advance(std::uint64_t now, F&& fire) {
        // After a long sleep one round sees every slot.
        if (now > now_ + kSlots) now_ = now - kSlots;
        while (now_ < now) {
            ++now_;
            auto& head = slots_[now_ % kSlots];
            if (head.next == &head) continue;
            // Off the wheel first: a timer that fires may disarm any other.
            Timer turn;
            turn.next = head.next;
            turn.previous = head.previous;
            turn.next->previous = turn.previous->next = &turn;
            head.next = head.previous = &head;
            while (turn.next != &turn) {
                auto& timer = *turn.next;
                const auto due = timer.due;
                disarm(timer);
                if (due <= now_)
                    fire(timer);
                else
                    arm(timer, due);
            }
        }
    }

private:
    static constexpr std::size_t kSlots = 4096;
    std::uint64_t now_ = 0;
    std::array<Timer, kSlots> slots_;
};

}  // namespace torii::dataplane
