package bot

import (
	"errors"
	"os/exec"
	"unsafe"

	"golang.org/x/sys/windows"
)

// family is a command with all processes that it has started: a job object, which
// kills them when it is closed, also because the bot has ended.
type family struct{ job windows.Handle }

// startFamily puts the command into its job right after the start: what it starts
// before that gets away.
func startFamily(cmd *exec.Cmd) (*family, error) {
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return nil, err
	}
	f := &family{job}
	limits := windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION{}
	limits.BasicLimitInformation.LimitFlags = windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE
	if _, err = windows.SetInformationJobObject(job, windows.JobObjectExtendedLimitInformation,
		uintptr(unsafe.Pointer(&limits)), uint32(unsafe.Sizeof(limits))); err != nil {
		f.close()
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		f.close()
		return nil, err
	}
	process, err := windows.OpenProcess(windows.PROCESS_SET_QUOTA|windows.PROCESS_TERMINATE, false, uint32(cmd.Process.Pid))
	if err == nil {
		err = windows.AssignProcessToJobObject(job, process)
		_ = windows.CloseHandle(process)
	}
	if err != nil {
		err = errors.Join(err, cmd.Process.Kill())
		_ = cmd.Wait()
		f.close()
		return nil, err
	}
	return f, nil
}

// kill ends those that are still there.
func (f *family) kill() { _ = windows.TerminateJobObject(f.job, 1) }

func (f *family) close() { _ = windows.CloseHandle(f.job) }
