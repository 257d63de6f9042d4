package server

// An Extension is something inside that has a number. Which fields count
// depends on Type.
type Extension struct {
	Number string `yaml:"number"`
	Type   string `yaml:"type"` // phone | api | script | ringgroup | voicemail | conference | queue | echo; "" = phone
	Name   string `yaml:"name"` // shown to the called

	Enabled *bool  `yaml:"enabled"` // false: nobody can call it, and its phone cannot log in; nil = true
	Owner   string `yaml:"owner"`   // whose it is: UserID of AddConfig; a note, nothing depends on it

	Password Secret `yaml:"password"` // phone
	Digest   string `yaml:"digest"`   // phone: md5 | sha-256 | both; "" = md5
	Contact  string `yaml:"contact"`  // phone: a fixed SIP URI instead of a registration

	Limits UserLimits `yaml:"limits"` // of the calls it makes; what is 0 is as limits.user says

	Forward     Forward `yaml:"forward"`      // phone: where its calls go instead
	DND         bool    `yaml:"dnd"`          // phone: do not disturb: busy for everybody
	CallWaiting *bool   `yaml:"call_waiting"` // phone: a further call rings too, else it is busy; nil = true
	PickupGroup string  `yaml:"pickup_group"` // phone: those of one group may pick up each other's calls; "" = the group of all that name none

	URL            string `yaml:"url"`             // api: gets IncomingCall
	FallbackURL    string `yaml:"fallback_url"`    // api: asked when URL gives no script
	FallbackScript string `yaml:"fallback_script"` // api: a file, run when that fails too
	ErrorURL       string `yaml:"error_url"`       // api, script: gets Error
	FinishedURL    string `yaml:"finished_url"`    // api, script: gets CallCompleted
	SMSURL         string `yaml:"sms_url"`         // api: gets IncomingSMS
	Secret         Secret `yaml:"secret"`          // api: signs notifications, "" = unsigned
	RecordChannels int    `yaml:"record_channels"` // 1 mixed | 2 caller left, switch right; 0 = 1
	SensitiveInput bool   `yaml:"sensitive_input"` // keys are never written down

	File string `yaml:"file"` // script: "" = the built-in hello; voicemail: a folder with leave.xml and menu.xml of one's own

	Members  []string `yaml:"members"`   // ringgroup, queue: numbers of extensions; of a ring group groups too
	Strategy string   `yaml:"strategy"`  // ringgroup: all | order | random; queue: longest-idle | round-robin | all; "" = the first
	RingTime Duration `yaml:"ring_time"` // ringgroup, queue: of each member; a plain number is seconds; 0 = 20 s
	Delay    Duration `yaml:"delay"`     // ringgroup with all: each member begins so long after the one before
	Music    string   `yaml:"music"`     // queue, conference (for who is alone): a file below media/

	PIN      Secret `yaml:"pin"`       // conference: asked of everybody; "" = nobody is asked
	AdminPIN Secret `yaml:"admin_pin"` // conference: of the host, who may lock it; "" = everybody may
	Max      int    `yaml:"max"`       // conference, queue: members, or callers that wait; 0 = 50
	Record   bool   `yaml:"record"`    // conference: to recordings/conference/NUMBER/
	Tone     *bool  `yaml:"tone"`      // conference: tones when somebody comes or goes; nil = true

	WrapUp    Duration `yaml:"wrap_up"`    // queue: an agent's rest after a call, and after one that was not answered; 0 = 10 s
	WaitLimit Duration `yaml:"wait_limit"` // queue: longest wait; 0 = no limit
	Announce  Duration `yaml:"announce"`   // queue: how often a caller is told where in the queue it is; 0 = never
	Overflow  string   `yaml:"overflow"`   // queue: the number for callers that cannot wait (longer); "" = they are told goodbye
	JoinEmpty bool     `yaml:"join_empty"` // queue: callers may wait while no agent is there

	SRTP    string  `yaml:"srtp"`      // phone: SRTP with keys in SDP (SDES): off | optional | mandatory; "" = off
	Mailbox Mailbox `yaml:"voicemail"` // phone: its voicemail
}

func (e *Extension) enabled() bool { return e.Enabled == nil || *e.Enabled }

// A Mailbox is the voicemail of a phone.
type Mailbox struct {
	PIN      Secret `yaml:"pin"`      // asked by the menu; "" = nobody but the phone itself gets in
	Email    string `yaml:"email"`    // gets each message as a mail with the sound, by `mail:`; "" = nobody
	Greeting string `yaml:"greeting"` // a file below media/; "" = the standard one, or the one recorded by the menu
}

// Forward says to which numbers the calls of a phone go instead; "" = none, and the
// word voicemail is the number of the first extension of that type. Feature
// codes and /v1 change it while the switch runs.
type Forward struct {
	Always      string   `yaml:"always"`
	Busy        string   `yaml:"busy"`
	NoAnswer    string   `yaml:"no_answer"`
	After       Duration `yaml:"after"`       // how long it rings before no_answer; 0 = 20 s
	Unavailable string   `yaml:"unavailable"` // it is not registered, or cannot be reached
}

// FeatureCodes are what a phone dials to change its own settings, and to act on the
// calls of others; "off" = there is no such code. A number follows those that
// forward, that of pickup and that of queue_agent: *721002.
type FeatureCodes struct {
	ForwardAlways      string `yaml:"forward_always"`        // "" = *72
	ForwardAlwaysOff   string `yaml:"forward_always_off"`    // "" = *73
	ForwardBusy        string `yaml:"forward_busy"`          // "" = *90
	ForwardBusyOff     string `yaml:"forward_busy_off"`      // "" = *91
	ForwardNoAnswer    string `yaml:"forward_no_answer"`     // "" = *92
	ForwardNoAnswerOff string `yaml:"forward_no_answer_off"` // "" = *93
	DND                string `yaml:"dnd"`                   // "" = *78
	DNDOff             string `yaml:"dnd_off"`               // "" = *79
	Pickup             string `yaml:"pickup"`                // answers the call that rings at a number; "" = *8
	PickupGroup        string `yaml:"pickup_group"`          // answers the call that rings longest in the same pickup_group; "" = **
	QueueAgent         string `yaml:"queue_agent"`           // logs an agent out of a queue, or in; "" = *45
}
